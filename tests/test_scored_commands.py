"""What a measuring command says where it cannot measure."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import ProgrammingError, connection

from benchmarks import review


@pytest.mark.django_db(transaction=True)
def test_tables_that_are_not_there_are_named_as_migrations_to_apply() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'training'")
        cursor.execute("ALTER TABLE ingestion_source RENAME COLUMN poll_minutes TO away")
    try:
        with pytest.raises(CommandError, match=r"migrations to apply; run: .* migrate"):
            call_command("bench", "review", "--items", "1")
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE ingestion_source RENAME COLUMN away TO poll_minutes")
        call_command("migrate", "training", fake=True, verbosity=0)


@pytest.mark.django_db(transaction=True)
def test_a_fault_of_the_code_is_not_called_a_missing_migration(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fails(**_: object) -> None:
        connection.cursor().execute("SELECT no_such_column FROM ingestion_source")

    monkeypatch.setattr(review, "run", fails)
    with pytest.raises(ProgrammingError, match="no_such_column"):
        call_command("bench", "review", "--items", "1")
