"""Recurring jobs and instant starts: collects each app's `schedule.py` and fills the queue.

The queue holds no truth: a job looks for pending rows itself, so losing or repeating an entry
costs at most the time until the next tick.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from functools import partial

from django.apps import apps
from django.core.signing import BadSignature
from django.db import transaction
from django.utils import timezone
from django.utils.module_loading import module_has_submodule
from django_q.brokers.orm import ORM
from django_q.models import OrmQ, Schedule
from django_q.signing import SignedPackage
from django_q.tasks import async_task

# Enough to see every different job; a longer queue is only read in part.
QUEUE_ROWS_COMPARED = 200


@dataclass(frozen=True, slots=True)
class Job:
    """A function, by its dotted name, that a queue calls without arguments every so often.

    `queue` is empty for that of the workers.
    """

    name: str
    func: str
    minutes: int
    queue: str = ""


class QueueOnce(ORM):
    """The database's queue, without a second entry for a call that is still waiting.

    Ticks of a job that takes longer than its interval would otherwise pile up and keep the
    workers from everything else.
    """

    def enqueue(self, task: str) -> int:
        """Put a signed task on the queue; the row's id, that of the waiting one if it is there."""
        wanted = _call(task)
        waiting = OrmQ.objects.filter(key=self.list_key, lock__lte=timezone.now())
        rows = waiting.order_by("pk").values_list("pk", "payload")
        for pk, payload in rows[:QUEUE_ROWS_COMPARED]:
            try:
                if _call(payload) == wanted:
                    return pk
            except BadSignature:
                continue  # Queued under an older SECRET_KEY: no worker will run it.
        return super().enqueue(task)


def _call(payload: str) -> tuple[object, ...]:
    task = SignedPackage.loads(payload)
    return task["func"], task.get("args"), task.get("kwargs")


def enqueue(func_name: str) -> None:
    """Have a worker call this function soon, unless the same call is still waiting to be taken.

    It is queued once the caller's transaction has committed: queued earlier, a waiting twin might
    be taken before the rows that it should find are visible.
    """
    transaction.on_commit(partial(async_task, func_name))


def jobs() -> list[Job]:
    """Every installed app's `SCHEDULE`, found by name; the order is that of INSTALLED_APPS."""
    found: list[Job] = []
    for app in apps.get_app_configs():
        if module_has_submodule(app.module, "schedule"):
            schedule = importlib.import_module(f"{app.name}.schedule")
            found.extend(getattr(schedule, "SCHEDULE", ()))
    return found


@transaction.atomic
def sync_schedule() -> list[Job]:
    """Make the queue's schedule that of the code; rows whose job left the code are deleted.

    A job that only changes its interval keeps the time of its next run.
    """
    current = jobs()
    names = [job.name for job in current]
    if len(set(names)) != len(names):
        raise ValueError(f"two jobs share a name: {sorted(names)}")
    Schedule.objects.exclude(name__in=names).delete()
    for job in current:
        fields = {
            "func": job.func,
            "minutes": job.minutes,
            "schedule_type": Schedule.MINUTES,
            "repeats": -1,
            "cluster": job.queue or None,
        }
        if not Schedule.objects.filter(name=job.name).update(**fields):
            Schedule.objects.create(name=job.name, **fields)
    return current


def start_all() -> None:
    """Queue the workers' jobs once now, so that a fresh start does not wait for the first ticks.

    Another queue may have nobody to take them.
    """
    for job in jobs():
        if not job.queue:
            enqueue(job.func)
