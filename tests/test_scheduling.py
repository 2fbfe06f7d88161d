"""The queue: the code's jobs become its schedule, and a waiting call is not queued twice."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from django_q.models import OrmQ, Schedule
from django_q.tasks import async_task

from docintel import scheduling
from docintel.scheduling import Job, enqueue, jobs, sync_schedule

pytestmark = pytest.mark.django_db
Capture = Callable[..., AbstractContextManager[list[Any]]]


def queued() -> list[str]:
    return [row.func() for row in OrmQ.objects.order_by("pk")]


def test_every_job_names_a_function_that_exists() -> None:
    from django.utils.module_loading import import_string

    found = jobs()
    assert found
    assert all(callable(import_string(job.func)) for job in found)


def test_the_schedule_is_that_of_the_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        scheduling, "jobs", lambda: [Job("a", "math.sqrt", 5), Job("b", "math.sin", 1)]
    )
    sync_schedule()
    due = Schedule.objects.get(name="a").next_run
    monkeypatch.setattr(scheduling, "jobs", lambda: [Job("a", "math.cos", 7)])

    sync_schedule()

    row = Schedule.objects.get()
    assert (row.name, row.func, row.minutes) == ("a", "math.cos", 7)
    assert row.schedule_type == Schedule.MINUTES
    assert row.next_run == due


def test_a_job_of_another_queue_is_left_to_it(
    monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Capture
) -> None:
    both = [Job("a", "math.sqrt", 5), Job("b", "math.sin", 1, "training")]
    monkeypatch.setattr(scheduling, "jobs", lambda: both)
    sync_schedule()
    clusters = dict(Schedule.objects.values_list("name", "cluster"))
    assert clusters == {"a": None, "b": "training"}
    with django_capture_on_commit_callbacks(execute=True):
        scheduling.start_all()
    assert queued() == ["math.sqrt"]


def test_two_jobs_of_one_name_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scheduling, "jobs", lambda: [Job("a", "x.y", 5), Job("a", "x.z", 1)])
    with pytest.raises(ValueError, match="share a name"):
        sync_schedule()


def test_a_waiting_call_is_queued_once(django_capture_on_commit_callbacks: Capture) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        enqueue("ingestion.tasks.parse_pending")
        enqueue("ingestion.tasks.parse_pending")
        enqueue("ingestion.tasks.index_pending")
    assert queued() == ["ingestion.tasks.parse_pending", "ingestion.tasks.index_pending"]


def test_a_call_that_was_taken_may_be_queued_again(
    django_capture_on_commit_callbacks: Capture,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        enqueue("math.pi")
    # What the queue does when a worker takes a row.
    OrmQ.objects.update(lock=timezone.now() + timedelta(minutes=40))

    with django_capture_on_commit_callbacks(execute=True):
        enqueue("math.pi")

    assert queued() == ["math.pi", "math.pi"]


def test_calls_with_other_arguments_are_other_calls() -> None:
    async_task("math.sqrt", 4)
    async_task("math.sqrt", 4)
    async_task("math.sqrt", 9)
    assert [row.task["args"] for row in OrmQ.objects.order_by("pk")] == [(4,), (9,)]


def test_a_row_signed_with_another_key_is_passed_over() -> None:
    OrmQ.objects.create(key="docintel", payload="forged:by:hand", lock=timezone.now())
    async_task("math.sqrt", 4)
    assert OrmQ.objects.count() == 2


@transaction.atomic
def _enqueue_and_fail() -> None:
    enqueue("math.pi")
    raise ZeroDivisionError


@pytest.mark.django_db(transaction=True)
def test_nothing_is_queued_when_the_transaction_fails() -> None:
    with pytest.raises(ZeroDivisionError):
        _enqueue_and_fail()
    assert not OrmQ.objects.exists()
