"""The recurring jobs of questions."""

from docintel.scheduling import Job

SCHEDULE = [
    # Looks every hour, learns once a week.
    Job("learn synonyms", "qa.tasks.learn_synonyms", 60),
    Job("close lost answers", "qa.tasks.close_lost_answers", 5),
]
