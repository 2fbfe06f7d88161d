"""A person's word outranks the tagger's, now and after the document was read again."""

from __future__ import annotations

import pytest
from django.db import transaction
from extraction_corpus import go_live, kpis, put, tags_by

from extraction import shown, tidying
from extraction.extracting import extract
from extraction.models import ExtractedSpan, PersonsWord, Schema
from extraction.settling import Key, Word, say, settle
from ingestion.models import Document

pytestmark = pytest.mark.django_db
ITEM = 7


@pytest.fixture(autouse=True)
def tagger(monkeypatch: pytest.MonkeyPatch) -> None:
    go_live()
    tags_by(monkeypatch)


def found(document: Document) -> list[tuple[str, str]]:
    return [(s.label, s.text) for s in shown.spans_of(document, kpis().pk)]


def pairs(document: Document) -> list[tuple[str, str, str]]:
    rows = shown.relations_of(document, kpis().pk)
    return [(r.relation, r.head.text, r.tail.text) for r in rows]


def at(document: Document, words: str, label: str) -> Key:
    start = document.text.index(words)
    return start, start + len(words), label


@transaction.atomic
def said(document: Document, *words: Word, ref: int = ITEM) -> None:
    say(document.pk, kpis().pk, ref, words)
    settle(document.pk, kpis().pk)


def test_what_is_refused_goes_with_its_relations_and_comes_back_when_withdrawn() -> None:
    document = put()
    extract(document, kpis())
    before, related = found(document), pairs(document)
    said(document, Word(False, at(document, "30.5", "cy")))
    assert ("cy", "30.5") not in found(document)
    assert [pair for pair in pairs(document) if pair[1] == "30.5"] == []
    said(document)
    assert (found(document), pairs(document)) == (before, related)


def test_a_new_boundary_takes_the_place_of_what_it_overlaps_and_is_related() -> None:
    document = put()
    run = extract(document, kpis())
    old, new = at(document, "30.5", "cy"), at(document, "$ 30.5 million", "cy")
    said(document, Word(False, old), Word(True, new))
    assert [row for row in found(document) if "30.5" in row[1]] == [("cy", "$ 30.5 million")]
    assert ("value of", "$ 30.5 million", "Revenue") in pairs(document)
    row = shown.spans_of(document, kpis().pk).get(text="$ 30.5 million")
    assert (row.origin, row.confidence) == (ExtractedSpan.Origin.PERSON, 1.0)
    run.refresh_from_db()
    assert run.span_count == 4


def test_what_is_accepted_is_there_once_and_a_persons() -> None:
    document = put()
    extract(document, kpis())
    said(document, Word(True, at(document, "Revenue", "kpi")))
    assert found(document).count(("kpi", "Revenue")) == 1
    assert shown.spans_of(document, kpis().pk).get(text="Revenue").origin == "person"


def test_it_survives_a_new_version_a_second_reading_and_a_roll_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    document = put()
    extract(document, kpis())
    said(
        document,
        Word(False, at(document, "30.5", "cy")),
        Word(True, at(document, "Revenue was", "kpi")),
    )
    wanted = [("kpi", "Revenue was"), ("kpi", "Net income"), ("cy", "4.25")]
    assert found(document) == wanted
    extract(document, kpis(), again=True)
    assert found(document) == wanted
    go_live("2")
    extract(document, kpis())
    assert found(document) == wanted
    go_live("1")
    extract(document, kpis())
    assert found(document) == wanted
    assert ExtractedSpan.objects.filter(origin="person").count() == 1


def test_what_was_withdrawn_meanwhile_is_back_after_a_roll_back() -> None:
    document = put()
    extract(document, kpis())
    before = found(document)
    said(document, Word(False, at(document, "30.5", "cy")))
    go_live("2")
    extract(document, kpis())
    said(document)
    go_live("1")
    extract(document, kpis())
    assert found(document) == before


def test_a_model_that_finds_nothing_more_leaves_what_people_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    document = put()
    extract(document, kpis())
    said(document, Word(True, at(document, "4.25", "py")))
    go_live("2")
    tags_by(monkeypatch, lambda text, schema: [])
    extract(document, kpis())
    assert found(document) == [("py", "4.25")]


def test_a_person_relates_and_separates() -> None:
    document = put()
    extract(document, kpis())
    value, other = at(document, "4.25", "cy"), at(document, "Revenue", "kpi")
    rule = next(pair for pair in pairs(document) if pair[1] == "4.25")
    said(document, Word(True, value, rule[0], other))
    assert [p for p in pairs(document) if p[1] == "4.25"] == [(rule[0], "4.25", "Revenue")]
    said(document, Word(False, value, rule[0], at(document, "Net income", "kpi")))
    assert (rule[0], "4.25", "Net income") not in pairs(document)


def test_a_relation_goes_with_the_span_that_it_needs() -> None:
    document = put()
    extract(document, kpis())
    value, head = at(document, "4.25", "cy"), at(document, "Revenue", "kpi")
    said(document, Word(True, value, "value of", head))
    said(document, Word(False, head), ref=8)
    assert [p for p in pairs(document) if p[2] == "Revenue"] == []
    said(document, ref=8)
    assert ("value of", "4.25", "Revenue") in pairs(document)


def test_of_two_words_about_the_same_the_later_one_counts() -> None:
    document = put()
    extract(document, kpis())
    key = at(document, "30.5", "cy")
    said(document, Word(False, key), ref=1)
    said(document, Word(True, key), ref=2)
    assert ("cy", "30.5") in found(document)


def test_words_outlive_the_runs_that_are_tidied_away() -> None:
    document = put()
    extract(document, kpis())
    said(document, Word(False, at(document, "30.5", "cy")))
    for version in "23":
        go_live(version)
        extract(document, kpis())
    assert tidying.tidy() == 1
    assert PersonsWord.objects.count() == 1
    assert ("cy", "30.5") not in found(document)


def test_two_schemas_do_not_hear_one_another() -> None:
    document = put()
    extract(document, kpis())
    key = at(document, "30.5", "cy")
    other = Schema.objects.exclude(name="kpis").first()
    assert other is not None
    with transaction.atomic():
        say(document.pk, other.pk, ITEM, [Word(False, key)])
        settle(document.pk, other.pk)
    assert ("cy", "30.5") in found(document)
