"""The state of each polled source in words: failing, late, waiting its turn, or well."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from ingestion.models import Source, SourceItem
from ingestion.source_health import findings, standings

pytestmark = pytest.mark.django_db


def source(name: str, **fields: object) -> Source:
    values = {"kind": Source.Kind.RSS, "location": "http://example.com/", **fields}
    return Source.objects.create(name=name, **values)


def test_each_source_says_what_is_the_matter() -> None:
    now = timezone.now()
    soon = now + timedelta(minutes=30)
    source("A", last_error="It answered 500.", failures=3, next_run_at=now + timedelta(hours=2))
    source("B", next_run_at=now - timedelta(hours=2))
    source("C", next_run_at=soon, last_success_at=now)
    queued = source("D", next_run_at=soon, last_success_at=now)
    source("E", active=False, next_run_at=now - timedelta(days=2))
    source("F")
    Source.objects.create(name="G", kind=Source.Kind.UPLOAD)
    for number in range(4):
        item = SourceItem(source=queued, external_id=str(number))
        item.listed_at = now - timedelta(hours=3)
        item.fetched_at = now if number == 0 else None
        item.gave_up_at = now if number == 1 else None
        item.save()
    words = {row.source.name: row.words.replace("\xa0", " ") for row in standings(Source.objects)}
    assert words == {
        "A": "3 times in a row: It answered 500. Next try in 1 hour, 59 minutes.",
        "B": "should have been asked 2 hours ago",
        "C": "up to date",
        "D": "2 waiting for their turn, the oldest for 3 hours",
        "E": "switched off",
        "F": "not asked yet",
    }
    standing = {row.source.name: row for row in standings(Source.objects)}["D"]
    assert (standing.listed, standing.fetched, standing.waiting, standing.given_up) == (4, 1, 2, 1)
    assert standing.documents_an_hour == pytest.approx(1 / 24)


def test_the_health_report_names_those_that_need_somebody() -> None:
    now = timezone.now()
    source("A", last_error="It answered 500.", failures=1, next_run_at=now + timedelta(hours=2))
    source("B", next_run_at=now + timedelta(minutes=1), last_success_at=now)
    found = list(findings())
    assert [(row.name, row.ok) for row in found] == [
        ("Source A", False), ("Polled sources", True),
    ]  # fmt: skip
    assert found[0].message.startswith("It answered 500.")
    assert found[1].message == "1 of 2 are well; 0 of 0 listed items fetched"


def test_queued_is_not_failed() -> None:
    now = timezone.now()
    row = source("A", next_run_at=now + timedelta(minutes=9), last_success_at=now)
    SourceItem.objects.bulk_create(
        SourceItem(source=row, external_id=str(number)) for number in range(1000)
    )
    assert [finding.ok for finding in findings()] == [True]
