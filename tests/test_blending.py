"""Ranker, cross-encoder and units each give an order; passages are listed by all of them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from django.contrib.auth.models import User
from reports_corpus import ask, embedder_of_axes, meant, report

from docintel.models import ModelVersion
from ingestion.models import Document, UnitVectors
from ingestion.sentence_windows import windows
from ingestion.unit_vectors import packed
from qa.passages import Passage
from qa.ranking.blending import Scored, blended, first_order
from qa.ranking.candidates import Entry
from qa.ranking.ranking_looks import holds_nearest
from qa.ranking.unit_features import compare_units_of_all, of_units

QUESTION = "What were the freight costs of Halden Mills in FY2022?"


def entry(pk: int, **features: float) -> Entry:
    passage = Passage(pk, 1, 0, 1, 1, 1, "", "", 0.0)
    known = {"inside": 1.0, "metrics_asked": 0.0, "best_word_coverage": 1.0}
    return Entry(passage, 0.0, known | features)


def ids(order: list[Scored]) -> list[int]:
    return [entry.passage.chunk_id for entry, _ in order]


def test_where_nothing_was_read_the_rankers_order_stays() -> None:
    order = [(entry(pk), float(9 - pk)) for pk in range(5)]
    made = blended(order, {}, 0.5)
    assert ids(made) == [0, 1, 2, 3, 4]
    assert [score for _, score in made] == [9.0, 8.0, 7.0, 6.0, 5.0]
    assert all(math.isnan(e.features["cross"]) for e, _ in made)
    assert blended([], {}, 0.5) == []


def test_what_was_read_is_raised_by_weight_and_places_keep_the_rankers_scores() -> None:
    order = [(entry(0), 3.0), (entry(1), 2.0), (entry(2), 1.0)]
    cross = {0: -4.0, 1: 1.0, 2: 6.0}
    assert ids(blended(order, cross, 0.0)) == [0, 1, 2]
    assert ids(blended(order, cross, 0.19)) == [0, 1, 2]
    assert ids(blended(order, cross, 0.3)) == [2, 1, 0]
    made = blended(order, cross, 0.3)
    assert [score for _, score in made] == [3.0, 2.0, 1.0]
    assert [e.features["cross"] for e, _ in made] == [6.0, 1.0, -4.0]


def test_what_was_not_read_counts_as_the_worst_that_was() -> None:
    order = [(entry(0), 3.0), (entry(1), 2.0), (entry(2), 1.9), (entry(3), -9.0)]
    assert ids(blended(order, {0: 2.0, 1: 1.0}, 5.0)) == [0, 1, 2, 3]
    assert ids(blended(order, {0: 1.0, 1: 1.1, 2: 1.0}, 5.0)) == [0, 1, 2, 3]
    assert ids(blended(order, {0: 1.0, 1: 2.0, 2: 1.0}, 5.0)) == [1, 0, 2, 3]


def test_equals_stay_in_the_rankers_order() -> None:
    order = [(entry(pk), 1.0) for pk in (5, 3, 4)]
    assert ids(blended(order, {5: 0.5, 3: 0.5, 4: 0.5}, 1.0)) == [5, 3, 4]


@pytest.mark.parametrize(
    ("features", "first"),
    [
        ({"best_word_coverage": 0.4}, [2, 0, 1]),
        ({"best_word_coverage": 0.6}, [0, 1, 2]),
        ({"best_word_coverage": 0.4, "metrics_asked": 1.0}, [0, 1, 2]),
    ],
)
def test_in_other_words_the_filters_own_come_before_others(
    features: dict[str, float], first: list[int]
) -> None:
    order = [
        (entry(0, **features | {"inside": 0.0}), 3.0),
        (entry(1, **features | {"inside": 0.0}), 2.0),
        (entry(2, **features), 1.0),
    ]
    assert ids(first_order(order)) == first
    made = blended(first_order(order), {0: 1.0, 1: 9.0, 2: 0.0}, 1.0)
    assert ids(made) == ([2, 1, 0] if first[0] == 2 else [1, 0, 2])
    assert [score for _, score in made] == [3.0, 2.0, 1.0]
    assert first_order([]) == []


def test_the_units_of_a_passage_become_features() -> None:
    text = "Freight rose. Tariffs fell."
    spans = ((100, 113), (114, 127))
    near = of_units(np.array([0.2, 0.6], dtype=np.float32), spans, text, 100,
                    frozenset({"tariff", "freight"}))  # fmt: skip
    assert near["unit"] == pytest.approx(0.6)
    assert near["unit_two"] == near["unit_mean"] == pytest.approx(0.4)
    assert near["unit_words"] == 0.5
    alone = of_units(np.array([0.2], dtype=np.float32), spans[:1], text, 100, frozenset())
    assert alone["unit_two"] == pytest.approx(0.2)
    assert alone["unit_words"] == 0.0


def test_units_outside_the_filter_come_after_those_inside() -> None:
    rows = [
        {"inside": 1.0, "unit": 0.1, "unit_two": 0.1},
        {"inside": 0.0, "unit": 0.9, "unit_two": 0.8},
        {"inside": 1.0, "unit": 0.2, "unit_two": 0.2},
        {"inside": 1.0},
    ]
    compare_units_of_all(rows)
    assert rows[2]["unit_rank"] < rows[0]["unit_rank"] < rows[1]["unit_rank"]
    assert rows[0]["unit_gap"] == pytest.approx(0.8)
    assert rows[1]["unit_two_gap"] == 0.0
    assert rows[3] == {"inside": 1.0}


def test_a_filter_that_holds_the_nearest_unit_was_read_rightly() -> None:
    inside, outside = (entry(0, unit=0.6), 2.0), (entry(1, unit=0.5, inside=0.0), 1.0)
    about_as_near, nearer = (
        (entry(pk, unit=unit, inside=0.0), 0.0) for pk, unit in ((2, 0.65), (4, 0.75))
    )
    assert holds_nearest([inside, outside, about_as_near])
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
    assert all("cross" not in e.features for e in after)
