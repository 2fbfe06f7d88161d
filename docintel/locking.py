"""Take turns across processes, by the database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection


def one_at_a_time(name: str) -> None:
    """Within a transaction: wait for whoever else holds this name, then hold it until the end."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [name])


@contextmanager
def alone(name: str) -> Iterator[bool]:
    """Whether nobody else holds this name, without waiting; held until the block ends.

    It is a lock of the session, not of a transaction, so that it may span several; a holder that
    dies loses it with its connection.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [name])
        held = bool(cursor.fetchone()[0])
    try:
        yield held
    finally:
        if held:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [name])


def hold_model(name: str) -> None:
    """Within a transaction: until its end nobody else adds, keeps or flips versions of this."""
    one_at_a_time(f"model:{name}")
