"""The recurring jobs of questions."""

from docintel.scheduling import Job

# Looks every hour, learns once a week.
SCHEDULE = [Job("learn synonyms", "qa.tasks.learn_synonyms", 60)]
