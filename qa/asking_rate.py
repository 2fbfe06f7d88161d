"""How often one person may ask."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from ingestion.querysets import User
from qa.answer_tables import Ask

WINDOW = timedelta(minutes=1)


class TooMany(Exception):
    """Asked too often; `seconds` until it is worth another try."""

    def __init__(self, seconds: int) -> None:
        super().__init__(
            f"You have asked {settings.ASK_RATE} questions within a minute; "
            f"go on in {seconds} seconds."
        )
        self.seconds = seconds


def admit(user: User) -> None:
    """Counts over all processes. Raises TooMany."""
    now = timezone.now()
    recent = Ask.objects.filter(asker=user.pk, created_at__gt=now - WINDOW)
    oldest = list(recent.values_list("created_at", flat=True)[: settings.ASK_RATE])
    if len(oldest) >= settings.ASK_RATE:
        wait = (oldest[-1] + WINDOW - now).total_seconds()
        raise TooMany(max(1, round(wait)))
