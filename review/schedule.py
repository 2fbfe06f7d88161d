"""The recurring jobs of review."""

from docintel.scheduling import Job

SCHEDULE = [
    Job("queue for review", "review.tasks.queue_pending", 1),
    Job("value what waits for review", "review.tasks.revalue", 360),
]
