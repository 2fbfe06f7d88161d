"""The benchmark of a switch: whose vectors a search read, and made-up vectors that show it."""

from __future__ import annotations

import numpy as np

from benchmarks.filling_two_spaces import Space, drawn
from benchmarks.switching import MIXED, NOTHING, Searcher, Seen, summed_up, whose
from docintel.models import ModelVersion

BLUE, GREEN = (ModelVersion(name="embedder", version=name) for name in ("blue", "green"))
SPACES = [Space(BLUE, frozenset(range(100))), Space(GREEN, frozenset(range(90, 200)))]


def test_it_tells_whose_vectors_were_read_and_when_they_were_mixed() -> None:
    assert whose([3, 40, 95], SPACES) == "blue"
    assert whose([95, 150], SPACES) == "green"
    assert whose([3, 150], SPACES) == MIXED
    assert whose([3, 500], SPACES) == MIXED
    assert whose([], SPACES) == NOTHING


def test_a_search_counts_for_every_step_that_it_was_under_way_in() -> None:
    person = Searcher(SPACES, ended=None)  # type: ignore[arg-type]
    person.seen = [
        Seen(0.0, 1.0, "blue", ()), Seen(1.9, 2.1, "blue", ("half",)), Seen(2.5, 4.5, "green", ()),
    ]  # fmt: skip
    told = summed_up([person], {"switch": (2.0, 3.0), "roll_back": (4.0, 5.0)})
    counts = {name: each["n"] for name, each in told["searches"].items()}
    assert counts == {"switch": 2, "roll_back": 1, "between": 1}
    assert told["searches"]["switch"]["whose"] == {"blue": 1, "green": 1}
    assert told["searches"]["switch"]["notes"] == {"half": 1}
    assert told["errors"] == []


def test_made_up_vectors_are_units_and_the_nearest_are_those_that_were_told() -> None:
    dice = np.random.default_rng(1)
    asked = np.zeros(768, dtype=np.float32)
    asked[:384] = dice.normal(size=384)
    asked /= np.linalg.norm(asked)
    rank = dice.permutation(2_000)
    found = drawn(rank / 2_000, asked, dice)
    assert np.allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)
    assert not found[:, 384:].any()
    nearest = np.argsort(-(found @ asked))[:50]
    assert set(rank[nearest]) == set(range(1_950, 2_000))
