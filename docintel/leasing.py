"""A claim on a row is a lease: it ends by itself, and is renewed while whoever holds it lives."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from django.db import DatabaseError, connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

logger = logging.getLogger(__name__)

# What a killed worker held comes back after this long.
LEASE_SECONDS = 60
RENEWALS_PER_LEASE = 4
FIRST_RETRY_SECONDS = 30
RETRY_FACTOR = 4
FREE: dict[str, Any] = {"claim": None, "claimed_until": None}


def retry_at(attempts: int, now: datetime) -> datetime:
    """When a row whose attempt number `attempts`, from 1, failed is tried again."""
    wait = FIRST_RETRY_SECONDS * RETRY_FACTOR ** max(0, attempts - 1)
    return now + timedelta(seconds=wait)


@contextmanager
def kept(row: QuerySet[Any], seconds: float = LEASE_SECONDS) -> Iterator[None]:
    """Renew `claimed_until` of this row in the background while the block runs.

    `row` has the claim among its conditions, so that one that was lost is not taken back.
    """
    ended = threading.Event()
    keeper = threading.Thread(target=_keep, args=(row, seconds, ended), name="lease", daemon=True)
    keeper.start()
    try:
        yield
    finally:
        ended.set()
        keeper.join()


def _keep(row: QuerySet[Any], seconds: float, ended: threading.Event) -> None:
    # This thread has a database connection of its own.
    try:
        while not ended.wait(seconds / RENEWALS_PER_LEASE):
            try:
                with transaction.atomic():
                    with connection.cursor() as cursor:
                        # Whoever holds the lease may be writing the row itself.
                        cursor.execute("SET LOCAL lock_timeout = '1s'")
                    row.all().update(claimed_until=timezone.now() + timedelta(seconds=seconds))
            except DatabaseError as error:
                logger.warning("a lease was not renewed: %s", error)
                connection.close()
    finally:
        connection.close()
