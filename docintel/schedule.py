"""The recurring jobs of the kernel."""

from docintel.scheduling import Job

SCHEDULE = [Job("forget old measurements", "docintel.tasks.forget_old_measurements", 24 * 60)]
