"""Ranker, cross-encoder and units each give an order; passages are listed by all of them."""

from __future__ import annotations

import math

import pytest
from django.contrib.auth.models import User
from reports_corpus import ask, embedder_of_axes, meant, report

from docintel.models import ModelVersion
from ingestion.models import Document, UnitVectors
from ingestion.sentence_windows import windows
from ingestion.unit_vectors import packed
from qa.passages import Passage
from qa.ranking.blending import Scored, blended
from qa.ranking.candidates import Entry
from qa.ranking.ranking_looks import holds_nearest

QUESTION = "What were the freight costs of Halden Mills in FY2022?"


def entry(pk: int, **features: float) -> Entry:
    passage = Passage(pk, 1, 0, 1, 1, 1, "", "", 0.0)
    return Entry(passage, 0.0, {"inside": 1.0} | features)


def ids(order: list[Scored]) -> list[int]:
    return [entry.passage.chunk_id for entry, _ in order]


def test_without_other_opinions_the_rankers_order_stays() -> None:
    order = [(entry(pk), float(9 - pk)) for pk in range(5)]
    made = blended(order, {})
    assert ids(made) == [0, 1, 2, 3, 4]
    assert [score for _, score in made] == [9.0, 8.0, 7.0, 6.0, 5.0]
    assert all(math.isnan(e.features["cross"]) for e, _ in made)


def test_the_nearest_unit_raises_its_passage() -> None:
    order = [(entry(pk, unit=pk / 10), -float(pk)) for pk in range(9)]
    made = blended(order, {})
    assert ids(made)[0] == 8
    assert [score for _, score in made] == [-float(pk) for pk in range(9)]
    assert made[0][0].features["unit_rank"] == pytest.approx(math.log1p(1))


def test_units_are_not_heard_where_a_metric_is_asked_for() -> None:
    order = [(entry(pk, unit=pk / 10, metrics_asked=1.0), 0.0) for pk in range(9)]
    made = blended(order, {})
    assert ids(made) == list(range(9))
    assert made[8][0].features["unit_rank"] == pytest.approx(math.log1p(1))


def test_units_outside_the_filter_come_after_those_inside() -> None:
    order = [
        (entry(0, unit=0.1), 2.0), (entry(1, unit=0.9, inside=0.0), 1.0), (entry(2, unit=0.2), 0.0),
    ]  # fmt: skip
    ranks = {e.passage.chunk_id: e.features["unit_rank"] for e, _ in blended(order, {})}
    assert ranks[2] < ranks[0] < ranks[1]


def test_a_passage_without_units_keeps_its_place_among_others() -> None:
    with_units = [(entry(pk, unit=0.9 - pk / 10), 0.0) for pk in range(4)]
    order = [with_units[0], (entry(9), 0.0), *with_units[1:]]
    assert ids(blended(order, {})) == [0, 9, 1, 2, 3]


def test_equal_scores_of_the_cross_encoder_have_places_of_their_own() -> None:
    order = [(entry(pk), 0.0) for pk in range(3)]
    made = blended(order, {0: 0.5, 1: 0.5})
    assert ids(made) == [0, 1, 2]
    assert len({e.features["cross_rank"] for e, _ in made[:2]}) == 2


def test_a_filter_that_holds_the_nearest_unit_was_read_rightly() -> None:
    inside, outside = (entry(0, unit=0.6), 2.0), (entry(1, unit=0.5, inside=0.0), 1.0)
    nearer = (entry(2, unit=0.7, inside=0.0), 0.0)
    assert holds_nearest([inside, outside])
    assert not holds_nearest([inside, outside, nearer])
    assert not holds_nearest([(entry(3), 1.0)])
    assert not holds_nearest([])


@pytest.fixture
def embedder(monkeypatch: pytest.MonkeyPatch) -> ModelVersion:
    return embedder_of_axes(monkeypatch)


def with_units(document: Document, embedder: ModelVersion) -> None:
    for chunk in document.chunks.all():
        spans = windows(document.text, chunk.start, chunk.end)
        vectors = [meant(document.text[low:high]) for low, high in spans]
        UnitVectors.objects.create(
            chunk=chunk,
            embedder=embedder,
            starts=[low for low, _ in spans],
            ends=[high for _, high in spans],
            vectors=b"".join(packed(vector[None]) for vector in vectors),
        )


@pytest.mark.django_db
def test_gathering_compares_the_units_of_candidates(alice: User, embedder: ModelVersion) -> None:
    library = [
        report("Halden Mills", year, *(f"Freight cost {n} of {year}." for n in range(5)),
               embedder=embedder)
        for year in (2021, 2022)
    ]  # fmt: skip
    assert all("unit" not in each.features for each in ask(QUESTION, alice, limit=40).passages)
    with_units(library[1], embedder)
    found = ask(QUESTION, alice, limit=40).passages
    known = {each.passage.document_id for each in found if "unit" in each.features}
    assert known == {library[1].pk}
    best = [
        e.features["unit"] for e in found if "Freight" in e.passage.text and "unit" in e.features
    ]
    assert best
    assert min(best) > 0.99


@pytest.mark.django_db
def test_a_lookup_is_not_reordered(alice: User, embedder: ModelVersion) -> None:
    document = report("Halden Mills", 2022, "Freight cost 3.", "Tariff 12.", embedder=embedder)
    before = [e.passage.chunk_id for e in ask("tariff 12", alice, tier="lookup").passages]
    with_units(document, embedder)
    after = ask("tariff 12", alice, tier="lookup").passages
    assert [e.passage.chunk_id for e in after] == before
    assert all("unit_rank" not in e.features for e in after)
