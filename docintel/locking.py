"""Take turns across processes, by the database."""

from __future__ import annotations

from django.db import connection


def one_at_a_time(name: str) -> None:
    """Within a transaction: wait for whoever else holds this name, then hold it until the end."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [name])
