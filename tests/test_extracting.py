"""One document through one schema: rows with their versions, once, or a reason why not."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from extraction_corpus import TEXT, find, go_live, kpis, put, tags_by

from extraction import claiming_runs, extracting, shown, tagging, tidying
from extraction.changing_schemas import save_schema
from extraction.extracting import NothingLive, extract, versions_of, work
from extraction.ml.spans import FoundSpan
from extraction.result_tables import ExtractedRelation, ExtractedSpan, ExtractionRun
from extraction.schema_tables import Schema
from extraction.tagging import TaggerUnavailable
from ingestion.models import Document

pytestmark = pytest.mark.django_db
State = ExtractionRun.State


@pytest.fixture(autouse=True)
def tagger(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    go_live()
    tags_by(monkeypatch)


def say(monkeypatch: pytest.MonkeyPatch, *spans: FoundSpan) -> None:
    tags_by(monkeypatch, lambda text, schema: list(spans))


def found(document: Document) -> list[tuple[str, str]]:
    return [(s.label, s.text) for s in shown.spans_of(document, kpis().pk)]


def test_spans_and_relations_become_rows_that_name_their_versions() -> None:
    document = put()
    run = extract(document, kpis())
    assert (run.state, run.shown, run.attempts) == (State.FINISHED, True, 0)
    assert run.schema_version == kpis().current
    assert run.model_version.version == "1"
    assert (run.span_count, run.characters) == (4, len(TEXT))
    assert found(document) == [
        ("kpi", "Revenue"), ("cy", "30.5"), ("kpi", "Net income"), ("cy", "4.25"),
    ]  # fmt: skip
    for span in run.spans.all():
        assert document.text[span.start : span.end] == span.text
    pairs = [(r.head.text, r.tail.text) for r in shown.relations_of(document, kpis().pk)]
    assert pairs == [("30.5", "Revenue"), ("4.25", "Net income")]
    for relation in run.relations.all():
        evidence = document.text[relation.evidence_start : relation.evidence_end]
        assert relation.evidence == evidence
        assert relation.head.text in evidence


@pytest.mark.parametrize("text", ["", "   \n", "Nothing of the kind is said here."])
def test_a_document_without_a_span_gets_a_finished_empty_run(text: str) -> None:
    run = extract(put(text), kpis())
    assert (run.state, run.shown, run.span_count) == (State.FINISHED, True, 0)
    assert not ExtractedSpan.objects.exists()


def test_three_hundred_pages() -> None:
    text = TEXT * 9_000
    starts = list(range(0, len(text), len(text) // 300))[:300]
    document = put(text, pages=starts, media_type="application/pdf")
    run = extract(document, kpis())
    assert run.span_count == ExtractedSpan.objects.count() == 36_000
    assert run.relation_count == ExtractedRelation.objects.count() == 18_000
    last = run.spans.order_by("-start")[0]
    assert last.page == 300


def test_the_same_again_changes_nothing() -> None:
    document = put()
    first = extract(document, kpis())
    assert extract(document, kpis()) == first
    assert ExtractionRun.objects.count() == 1
    assert len(found(document)) == 4


def test_a_redo_replaces_what_was_found_and_shows_it_meanwhile(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    document = put()
    run = extract(document, kpis())
    assert claiming_runs.redo(run)
    assert len(found(document)) == 4
    say(monkeypatch, FoundSpan(0, 7, "kpi", 0.9))
    work(document.pk, versions_of(kpis()))
    assert found(document) == [("kpi", "Revenue")]
    assert ExtractionRun.objects.get().state == State.FINISHED


def test_a_redo_that_fails_keeps_what_was_found(monkeypatch: pytest.MonkeyPatch) -> None:
    document = put()
    extract(document, kpis())
    say(monkeypatch, FoundSpan(0, 10_000, "kpi", 0.9))
    run = extract(document, kpis(), again=True)
    assert run.state == State.FAILED
    assert len(found(document)) == 4


def test_a_sighting_has_the_results_of_its_original() -> None:
    original = put()
    copy = put("", duplicate_of=original)
    run = extract(copy, kpis())
    assert run.document == original


def test_what_the_schema_drops_or_does_not_know(monkeypatch: pytest.MonkeyPatch) -> None:
    say(
        monkeypatch,
        FoundSpan(0, 7, "kpi", 0.95),
        FoundSpan(0, 7, "kpi", 0.8),
        FoundSpan(12, 18, "cy", 0.1),
        FoundSpan(0, 7, "of an older schema", 0.99),
    )
    document = put()
    run = extract(document, kpis())
    assert found(document) == [("kpi", "Revenue")]
    assert run.spans.get().confidence == pytest.approx(0.95)
    assert run.notes == [
        "1 spans of of an older schema were left out: the schema has no such label."
    ]


@pytest.mark.parametrize(
    "span",
    [FoundSpan(5, 5, "kpi", 0.9), FoundSpan(-1, 4, "kpi", 0.9), FoundSpan(0, 999, "kpi", 0.9),
     FoundSpan(0, 7, "kpi", 1.5), FoundSpan(0, 7, "kpi", float("nan"))],
)  # fmt: skip
def test_a_span_that_cannot_be_gives_the_document_up_at_once(
    span: FoundSpan, monkeypatch: pytest.MonkeyPatch
) -> None:
    say(monkeypatch, span)
    document = put()
    run = extract(document, kpis())
    assert run.state == State.FAILED
    assert "The tagger found kpi" in run.failed_reason
    document.refresh_from_db()
    assert document.quarantined_at is None
    assert document.failed_reason == ""


def test_a_failing_document_is_tried_three_times_and_given_up_for_extraction_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(text: str, schema: str) -> list[FoundSpan]:
        raise ValueError("cannot")

    tags_by(monkeypatch, broken)
    document = put()
    versions = versions_of(kpis())
    for attempt in (1, 2):
        run = work(document.pk, versions)
        assert run is not None
        assert (run.state, run.attempts) == (State.WAITING, attempt)
        assert work(document.pk, versions) is None, "before its time"
        ExtractionRun.objects.update(retry_after=timezone.now() - timedelta(seconds=1))
    last = work(document.pk, versions)
    assert last is not None
    assert last.state == State.FAILED
    assert last.failed_reason == extracting.UNEXPECTED
    assert work(document.pk, versions) is None
    document.refresh_from_db()
    assert document.state == "searchable"

    tags_by(monkeypatch)
    assert claiming_runs.retry(last)
    again = work(document.pk, versions)
    assert again is not None
    assert again.state == State.FINISHED
    assert (again.attempts, again.failed_reason) == (0, "")


def test_an_absent_tagger_is_not_the_documents_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(text: str, schema: str) -> list[FoundSpan]:
        raise TaggerUnavailable("a file of it is damaged")

    tags_by(monkeypatch, away)
    with pytest.raises(TaggerUnavailable):
        extract(put(), kpis())
    run = ExtractionRun.objects.get()
    assert (run.state, run.attempts, run.claim) == (State.WAITING, 0, None)


def test_nothing_live_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tagging, "BUNDLED", tmp_path)
    contracts = Schema.objects.get(name="contracts")
    with pytest.raises(NothingLive, match="no tagger is live for the schema Clauses of contracts"):
        extract(put(), contracts)
    assert not ExtractionRun.objects.exists()


def test_two_workers_do_not_take_one_document() -> None:
    document = put()
    versions = versions_of(kpis())
    mine = claiming_runs.begin(document.pk, versions)
    assert mine is not None
    assert claiming_runs.begin(document.pk, versions) is None
    assert work(document.pk, versions) is None


def test_a_worker_that_lost_its_lease_writes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    document = put()
    versions = versions_of(kpis())

    def slow(text: str, schema: str) -> list[FoundSpan]:
        past = timezone.now() - timedelta(seconds=1)
        ExtractionRun.objects.update(claimed_until=past)
        tags_by(monkeypatch)
        assert work(document.pk, versions), "the other worker"
        return [FoundSpan(0, 7, "kpi", 0.99)]

    tags_by(monkeypatch, slow)
    assert work(document.pk, versions) is None
    assert len(found(document)) == 4


# Versions


def test_an_older_result_is_shown_until_the_newer_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    document = put()
    old = extract(document, kpis())
    go_live("2")
    assert len(found(document)) == 4
    say(monkeypatch, FoundSpan(0, 7, "kpi", 0.9))
    new = extract(document, kpis())
    assert new.model_version.version == "2"
    assert found(document) == [("kpi", "Revenue")]
    old.refresh_from_db()
    assert not old.shown
    assert old.superseded_at is not None


def test_rolling_back_shows_the_earlier_result_without_reading_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    document = put()
    old = extract(document, kpis())
    go_live("2")
    say(monkeypatch)
    extract(document, kpis())
    assert found(document) == []

    def never(text: str, schema: str) -> list[FoundSpan]:
        raise AssertionError("read again")

    tags_by(monkeypatch, never)
    go_live("1")
    assert extract(document, kpis()) == old
    assert len(found(document)) == 4


def test_a_result_that_comes_late_does_not_displace_a_newer_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    document = put()
    old_versions = versions_of(kpis())

    def overtaken(text: str, schema: str) -> list[FoundSpan]:
        go_live("2")
        say(monkeypatch, FoundSpan(0, 7, "kpi", 0.9))
        extract(document, kpis())
        return find(text)

    tags_by(monkeypatch, overtaken)
    late = work(document.pk, old_versions)
    assert late is not None
    late.refresh_from_db()
    assert late.state == State.FINISHED
    assert not late.shown
    assert found(document) == [("kpi", "Revenue")]


def test_a_title_changes_no_result_and_a_rule_does() -> None:
    document = put()
    first = extract(document, kpis())
    save_schema({**kpis().spec, "title": "Figures"}, "eve")
    assert extract(document, kpis()) == first
    rules = [{**rule, "priority": 7} for rule in kpis().spec["rules"]]
    save_schema({**kpis().spec, "rules": rules}, "eve")
    again = extract(document, kpis())
    assert again != first
    assert again.schema_version.number == 3


def test_the_last_superseded_run_is_kept_and_older_ones_are_tidied_away() -> None:
    document = put()
    for version in "123":
        go_live(version)
        extract(document, kpis())
    assert tidying.tidy() == 1
    kept = ExtractionRun.objects.order_by("pk")
    assert [(run.model_version.version, run.shown) for run in kept] == [("2", False), ("3", True)]
    assert tidying.tidy() == 0


def test_a_run_with_a_persons_word_is_never_tidied_away() -> None:
    document = put()
    for version in "123":
        go_live(version)
        run = extract(document, kpis())
        if version == "1":
            run.spans.filter(text="30.5").update(origin=ExtractedSpan.Origin.PERSON)
    assert tidying.tidy() == 0
    assert ("cy", "30.5") in found(document)


def test_unfinished_runs_of_a_version_that_is_gone_are_tidied_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    say(monkeypatch, FoundSpan(0, 999, "kpi", 0.9))
    extract(put(), kpis())
    assert tidying.tidy() == 0, "it is what the failed document waits for"
    go_live("2")
    assert tidying.tidy() == 1


def test_what_a_person_replaced_or_refused_is_not_shown() -> None:
    document = put()
    run = extract(document, kpis())
    refused = run.spans.get(text="30.5")
    ExtractedSpan.objects.filter(pk=refused.pk).update(superseded_at=timezone.now())
    assert ("cy", "30.5") not in found(document)
    heads = [r.head.text for r in shown.relations_of(document, kpis().pk)]
    assert heads == ["4.25"]
