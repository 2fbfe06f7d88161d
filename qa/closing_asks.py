"""Asks and model calls of a process that died are closed as failed."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from qa.answer_tables import Ask, ModelCall

# Far longer than any answer takes.
LOST_AFTER = timedelta(minutes=10)
NOTICE = "The answer was interrupted. Ask again."


def close_lost() -> int:
    """How many asks it closed."""
    before = timezone.now() - LOST_AFTER
    ModelCall.objects.filter(status=ModelCall.Status.RUNNING, created_at__lt=before).update(
        status=ModelCall.Status.FAILED, error="its process ended"
    )
    return Ask.objects.filter(state=Ask.State.RUNNING, created_at__lt=before).update(
        state=Ask.State.FAILED, notice=NOTICE, finished_at=timezone.now()
    )
