"""Which documents are extracted from, in which order, and what says why none is."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.core.cache import cache
from django.utils import timezone
from extraction_corpus import find, go_live, kpis, put, tags_by

from extraction import catching_up, health, tagging, tasks
from extraction.catching_up import extract_pending
from extraction.extracting import extract
from extraction.ml.spans import FoundSpan
from extraction.result_tables import ExtractionRun
from extraction.schema_tables import Schema
from extraction.tagging import TaggerUnavailable
from ingestion.models import Document, Source

pytestmark = pytest.mark.django_db
LONG = 600.0


@pytest.fixture(autouse=True)
def tagger(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.clear()
    Schema.objects.exclude(name="kpis").update(active=False)
    go_live()
    tags_by(monkeypatch)


def order() -> list[str]:
    """The titles of the documents in the order in which their runs ended."""
    runs = ExtractionRun.objects.filter(state="finished").order_by("ended_at")
    return list(runs.values_list("document__title", flat=True))


def finding() -> str:
    return next(f.message for f in health.findings() if f.name.startswith("Extraction: Key"))


def test_every_document_that_the_schema_applies_to_newest_first() -> None:
    now = timezone.now()
    for age, title in ((3, "old"), (1, "new"), (2, "between")):
        put(title=title, received_at=now - timedelta(days=age))
    put(kind="news", title="of another kind")
    put(title="not searchable yet", searchable_at=None, duplicate_of=put(title="twin"))
    put(title="withdrawn", withdrawn_at=now)
    assert finding().endswith("documents waiting: 4 never read")
    tasks.extract_pending()
    assert order() == ["twin", "new", "between", "old"]
    assert extract_pending(LONG) == 0
    assert finding().endswith("nothing waits")


def test_what_was_never_read_goes_before_what_an_earlier_version_read() -> None:
    put(title="read before")
    extract_pending(LONG)
    go_live("2")
    put(title="never read", received_at=timezone.now() - timedelta(days=900))
    assert finding().endswith("1 never read, 1 read by an earlier version")
    assert extract_pending(LONG) == 2
    assert order() == ["read before", "never read", "read before"]
    assert extract_pending(LONG) == 0


def test_a_document_that_failed_by_this_version_is_left_alone_and_neighbours_go_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def careful(text: str, schema: str) -> list[FoundSpan]:
        if "poison" in text:
            raise ValueError("cannot")
        return find(text)

    tags_by(monkeypatch, careful)
    put(title="first")
    put("poison", title="poison")
    put(title="last")
    for _ in range(4):
        extract_pending(LONG)
        ExtractionRun.objects.update(retry_after=None)
    assert sorted(order()) == ["first", "last"]
    assert ExtractionRun.objects.failed().get().attempts == 3
    assert "1 document could not" in next(
        f.message for f in health.findings() if f.name == "Failed extraction"
    )
    tags_by(monkeypatch)
    go_live("2")
    extract_pending(LONG)
    assert "poison" in order()


def test_a_read_document_that_the_newer_version_cannot_read_is_tried_three_times_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    put()
    extract_pending(LONG)
    go_live("2")
    calls = []

    def broken(text: str, schema: str) -> list[FoundSpan]:
        calls.append(text)
        raise ValueError("cannot")

    tags_by(monkeypatch, broken)
    for _ in range(6):
        extract_pending(LONG)
        ExtractionRun.objects.update(retry_after=None)
    assert len(calls) == 3
    assert ExtractionRun.objects.shown().get().model_version.version == "1"


def test_a_schema_that_is_off_or_without_a_tagger_reads_nothing_and_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tagging, "BUNDLED", tmp_path)
    put()
    Schema.objects.update(active=False)
    assert extract_pending(LONG) == 0
    assert finding().startswith("switched off")
    Schema.objects.filter(name="contracts").update(active=True)
    put(kind="other")
    assert extract_pending(LONG) == 0
    said = next(f for f in health.findings() if f.name.startswith("Extraction: Clauses"))
    assert not said.ok
    assert "no tagger is live" in said.message


def test_a_tagger_that_cannot_be_used_costs_no_document_an_attempt(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls = []

    def away(text: str, schema: str) -> list[FoundSpan]:
        calls.append(text)
        raise TaggerUnavailable("its file is damaged")

    tags_by(monkeypatch, away)
    for _ in range(3):
        put()
    assert extract_pending(LONG) == 0
    assert len(calls) == 1
    assert not ExtractionRun.objects.filter(attempts__gt=0).exists()
    tags_by(monkeypatch)
    assert extract_pending(LONG) == 3


def test_it_gives_way_to_documents_that_wait_to_become_searchable() -> None:
    put()
    put(parsed_at=None, searchable_at=None, text="")
    assert extract_pending(LONG) == 0
    Document.objects.filter(parsed_at=None).delete()
    assert extract_pending(LONG) == 1


def test_its_time_is_limited_and_the_rest_is_enqueued(
    monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: object
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(catching_up, "enqueue", asked.append)
    put()
    assert extract_pending(0) == 0
    assert asked == ["extraction.tasks.extract_pending"]


def test_once_all_is_done_only_late_arrivals_are_looked_at_and_all_again_later() -> None:
    put()
    extract_pending(LONG)
    extract_pending(LONG)
    long_ago = timezone.now() - timedelta(days=30)
    old = put(title="back from quarantine", received_at=long_ago)
    fresh = put(title="fresh")
    assert extract_pending(LONG) == 1
    assert ExtractionRun.objects.filter(document=fresh).exists()
    cache.clear()  # The hour is over.
    assert extract_pending(LONG) == 1
    assert ExtractionRun.objects.filter(document=old).exists()


def test_a_change_of_rules_reads_everything_again_behind_what_is_new() -> None:
    from extraction.changing_schemas import save_schema

    put(title="old")
    extract_pending(LONG)
    rules = [{**rule, "priority": 7} for rule in kpis().spec["rules"]]
    save_schema({**kpis().spec, "rules": rules}, "eve")
    put(title="new")
    assert extract_pending(LONG) == 2
    assert order()[-2:] == ["new", "old"]
    save_schema({**kpis().spec, "title": "Figures"}, "eve")
    assert extract_pending(LONG) == 0


def test_a_document_asked_for_by_hand_need_not_be_of_the_schemas_kind() -> None:
    news = put(kind="news", source=Source.objects.create(name="Wire", kind="rss"))
    assert extract(news, kpis()).state == ExtractionRun.State.FINISHED
