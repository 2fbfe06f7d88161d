"""A scope of documents through one schema: started, followed, paused, cancelled, exported."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import Group, User
from django.core.cache import cache
from django.utils import timezone
from extraction_corpus import find, go_live, kpis, put, tags_by

from extraction import bulk_items, bulk_runs, tagging
from extraction.bulk_items import progress
from extraction.bulk_runs import Refused, start
from extraction.catching_up import extract_pending
from extraction.choosing import Chosen, documents_of, from_json
from extraction.extracting import extract
from extraction.ml.spans import FoundSpan
from extraction.result_tables import BulkDocument, BulkRun, ExtractionRun
from extraction.schema_tables import Schema
from extraction.tagging import TaggerUnavailable
from ingestion.models import Document, Source
from ingestion.querysets import Scope

pytestmark = pytest.mark.django_db
LONG = 600.0
State = BulkRun.State


@pytest.fixture(autouse=True)
def tagger(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.clear()
    # Nothing is read unasked here, so that every run is a bulk run's.
    Schema.objects.update(active=False)
    go_live()
    tags_by(monkeypatch)


def go_on(bulk: BulkRun) -> BulkRun:
    extract_pending(LONG)
    bulk.refresh_from_db()
    return bulk


def of_kind(kind: str) -> Chosen:
    return Chosen(Scope(kinds=(kind,)))


def test_a_scope_goes_through_whatever_the_schema_applies_to(eve: User) -> None:
    for _ in range(3):
        put(kind="news")
    put(kind="other")
    bulk = start(of_kind("news"), kpis(), eve)
    assert bulk.state == State.PREPARING
    go_on(bulk)
    assert bulk.state == State.FINISHED
    counted = progress(bulk)
    assert (counted.total, counted.done, counted.left, counted.percent) == (3, 3, 0, 100)
    assert counted.seconds_each is not None
    assert counted.seconds_each > 0
    assert counted.dollars == bulk_items.cost(counted.seconds)
    assert ExtractionRun.objects.filter(document__kind="news").count() == 3
    assert not ExtractionRun.objects.filter(document__kind="other").exists()


def test_what_the_same_versions_read_before_costs_nothing_now(eve: User) -> None:
    for _ in range(3):
        put()
    extract(Document.objects.all()[0], kpis())
    bulk = go_on(start(Chosen(), kpis(), eve))
    counted = progress(bulk)
    assert (counted.done, counted.known, counted.failed) == (2, 1, 0)


def test_again_reads_everything_anew(eve: User) -> None:
    for _ in range(2):
        put()
    go_on(start(Chosen(), kpis(), eve))
    before = list(ExtractionRun.objects.order_by("pk").values_list("pk", "ended_at"))
    counted = progress(go_on(start(Chosen(), kpis(), eve, again=True)))
    assert (counted.done, counted.known) == (2, 0)
    after = list(ExtractionRun.objects.order_by("pk").values_list("pk", "ended_at"))
    assert [pk for pk, _ in after] == [pk for pk, _ in before]
    assert all(new > old for (_, old), (_, new) in zip(before, after, strict=True))


def test_a_folder_of_a_source_holds_what_lies_in_it_and_its_sightings(eve: User) -> None:
    folder = Source.objects.create(name="Filings", kind=Source.Kind.FOLDER, location="/filings")
    inside = put(source=folder, external_id="2024/a.txt")
    put(source=folder, external_id="2024-old/b.txt")
    put(source=folder, external_id="2023/c.txt")
    original = put()
    put("", source=folder, external_id="2024/deep/d.txt", duplicate_of=original)
    chosen = Chosen(Scope(sources=(folder.pk,)), "2024")
    assert set(documents_of(chosen, eve)) == {inside, original}
    assert from_json(chosen.as_json()) == chosen
    bulk = go_on(start(chosen, kpis(), eve))
    assert bulk.described == "Filings · in 2024/"
    assert progress(bulk).done == 2


def test_only_documents_that_the_person_may_see(eve: User) -> None:
    vault = Source.objects.create(name="Vault", kind=Source.Kind.UPLOAD)
    vault.groups.add(Group.objects.create(name="deal team"))
    hidden = put(source=vault)
    put()
    bulk = go_on(start(Chosen(), kpis(), eve))
    assert progress(bulk).total == 1
    assert not bulk.items.filter(document=hidden).exists()


def test_nothing_to_do_or_nobody_to_do_it_is_refused_in_words(
    eve: User, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tagging, "BUNDLED", tmp_path)
    with pytest.raises(Refused, match="No document that you may see"):
        start(Chosen(), kpis(), eve)
    put()
    with pytest.raises(Refused, match="no tagger is live"):
        start(Chosen(), Schema.objects.get(name="contracts"), eve)
    assert not BulkRun.objects.exists()


def test_pause_resume_and_cancel(eve: User, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(3):
        put()
    bulk = start(Chosen(), kpis(), eve)
    assert not bulk_runs.pause(bulk), "its documents are not listed yet"

    def pausing(text: str, schema: str) -> list[FoundSpan]:
        bulk_runs.pause(bulk)
        return find(text)

    tags_by(monkeypatch, pausing)
    go_on(bulk)
    assert bulk.state == State.PAUSED
    assert progress(bulk).done == 1, "the document at work was finished"
    go_on(bulk)
    assert progress(bulk).left == 2
    tags_by(monkeypatch)
    assert bulk_runs.resume(bulk)
    assert not bulk_runs.resume(bulk)
    go_on(bulk)
    assert bulk.state == State.FINISHED
    assert not bulk_runs.cancel(bulk), "it is over"

    put()
    other = start(Chosen(), kpis(), eve)
    assert bulk_runs.cancel(other)
    go_on(other)
    assert other.state == State.CANCELLED
    assert not bulk_runs.resume(other)


def test_time_paused_is_no_time_worked(eve: User) -> None:
    put()
    bulk = start(Chosen(), kpis(), eve)
    now = timezone.now()
    BulkRun.objects.update(
        state=State.RUNNING, seconds_before=5.0, resumed_at=now - timedelta(seconds=60)
    )
    bulk.refresh_from_db()
    bulk_runs.pause(bulk)
    bulk.refresh_from_db()
    worked = bulk_items.active_seconds(bulk)
    assert 65 <= worked <= 65 + (timezone.now() - now).total_seconds()
    BulkRun.objects.update(created_at=now - timedelta(days=3))
    bulk.refresh_from_db()
    assert bulk_items.active_seconds(bulk) == worked


def test_the_end_is_estimated_by_the_clock(eve: User) -> None:
    for _ in range(4):
        put()
    bulk = start(Chosen(), kpis(), eve)
    bulk_runs.prepare_pending()
    bulk.refresh_from_db()
    assert progress(bulk).ends_at is None
    bulk.items.filter(pk=bulk.items.first().pk).update(state=BulkDocument.State.DONE, seconds=2.0)
    resumed = timezone.now() - timedelta(seconds=10)
    BulkRun.objects.update(resumed_at=resumed)
    bulk.refresh_from_db()
    before = timezone.now()
    ends_at = progress(bulk).ends_at
    after = timezone.now()
    # The other three take as long each as the first did until now.
    assert ends_at is not None
    assert before + 3 * (before - resumed) <= ends_at <= after + 3 * (after - resumed)


def test_a_document_that_fails_is_counted_and_the_others_go_on(
    eve: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def careful(text: str, schema: str) -> list[FoundSpan]:
        if "poison" in text:
            raise ValueError("cannot")
        return find(text)

    tags_by(monkeypatch, careful)
    put()
    put("poison")
    put()
    bulk = start(Chosen(), kpis(), eve)
    for _ in range(3):
        go_on(bulk)
        ExtractionRun.objects.update(retry_after=None)
    go_on(bulk)
    assert bulk.state == State.FINISHED
    counted = progress(bulk)
    assert (counted.done, counted.failed) == (2, 1)

    tags_by(monkeypatch)
    later = go_on(start(Chosen(), kpis(), eve))
    assert (progress(later).done, progress(later).known) == (1, 2), "a new run tries it again"


def test_a_run_says_why_it_makes_no_headway_and_goes_on_when_it_can(
    eve: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    put()
    bulk = start(Chosen(), kpis(), eve)

    def away(text: str, schema: str) -> list[FoundSpan]:
        raise TaggerUnavailable("a file of the tagger is damaged")

    tags_by(monkeypatch, away)
    go_on(bulk)
    assert (bulk.state, bulk.error) == (State.RUNNING, "a file of the tagger is damaged")
    tags_by(monkeypatch)
    go_on(bulk)
    assert (bulk.state, bulk.error) == (State.FINISHED, "")


def test_two_bulk_runs_and_what_is_new_take_turns(eve: User) -> None:
    for _ in range(4):
        put(kind="news")
    for _ in range(2):
        put(kind="other")
    Schema.objects.filter(name="kpis").update(active=True)
    first = start(of_kind("news"), kpis(), eve)
    second = start(of_kind("other"), kpis(), eve)
    put(kind="annual_report")
    go_on(first)
    go_on(second)
    runs = ExtractionRun.objects.order_by("ended_at").values_list("document__kind", flat=True)
    assert list(runs)[:3] == ["news", "other", "annual_report"]
    assert list(runs)[3:] == ["news", "other", "news", "news"]


def test_whoever_started_it_left_before_it_began(eve: User) -> None:
    put()
    bulk = start(Chosen(), kpis(), eve)
    eve.delete()
    go_on(bulk)
    assert bulk.state == State.CANCELLED
    assert "has left" in bulk.error


def test_a_version_that_goes_live_on_the_way_reads_the_rest(
    eve: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        put()

    def flipping(text: str, schema: str) -> list[FoundSpan]:
        go_live("2")
        return find(text)

    bulk = start(Chosen(), kpis(), eve)
    tags_by(monkeypatch, flipping)
    extract_pending(LONG)
    go_on(bulk)
    assert bulk.state == State.FINISHED
    assert progress(bulk).done == 3


def test_only_ones_own(eve: User, olga: User, adam: User) -> None:
    put()
    bulk = start(Chosen(), kpis(), eve)
    assert list(BulkRun.objects.visible_to(eve)) == [bulk]
    assert not BulkRun.objects.visible_to(olga).exists()
    root = User.objects.create_superuser("root")
    assert list(BulkRun.objects.visible_to(root)) == [bulk]
