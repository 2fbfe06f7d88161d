"""The recurring jobs of training, on a queue of their own: the role `trainer` takes them."""

from docintel.scheduling import Job

QUEUE = "training"
SCHEDULE = [Job("learn from corrections", "training.tasks.learn", 10, QUEUE)]
