"""The recurring jobs of extraction."""

from docintel.scheduling import Job

SCHEDULE = [
    Job("extract from documents", "extraction.tasks.extract_pending", 1),
    Job("tidy extraction runs", "extraction.tasks.tidy", 60),
]
