"""How long one new document takes to be scored for all analysts, features included, without tables.

Made-up analysts; the time of the processor, which other work on the machine does not change.
"""

from __future__ import annotations

import argparse
import statistics
import time
from typing import Any

import numpy as np

from docintel import lightgbm_text
from docintel.scoring import Score
from feed.ml.facts import Analyst, Documents, Firm, Profile
from feed.ml.features import NAMES, features

TOPICS = tuple(f"topic {n}" for n in range(50))
COMPANIES, SOURCES, DIMENSIONS = 2_000, 300, 768


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--analysts", type=int, default=200)
    parser.add_argument("--documents", type=int, default=100, help="scored one by one")


def run(analysts: int = 200, documents: int = 100, **_: Any) -> Score:
    started = time.perf_counter()
    dice = np.random.default_rng(7)
    people = [_analyst(at, dice) for at in range(analysts)]
    trees = _trees(dice)
    spent = []
    for _number in range(documents):
        document = _document(dice)
        began = time.process_time()
        made = features(document, people, Firm())
        trees.predict(made.reshape(-1, len(NAMES)))
        spent.append(1_000 * (time.process_time() - began))
    return Score(
        headline=f"milliseconds to score one document for {analysts} analysts, median",
        value=statistics.median(spent),
        higher_is_better=False,
        n=documents,
        interval=None,
        seconds=time.perf_counter() - started,
        detail={"p95": float(np.quantile(spent, 0.95)), "trees": len(trees.feature)},
    )


def _analyst(at: int, dice: np.random.Generator) -> Analyst:
    def some(n: int, of: int) -> list[int]:
        return [int(v) for v in dice.choice(of, n, replace=False)]

    profile = Profile(
        companies=dict.fromkeys(some(100, COMPANIES), 0.1),
        topics={TOPICS[n]: 0.2 for n in some(20, 50)},
        kinds={"news": 0.7, "research_note": 0.3},
        sources=dict.fromkeys(some(50, SOURCES), (5.0, 40.0)),
        asked_companies=dict.fromkeys(some(10, COMPANIES), 0.5),
        engaged=200.0,
        taste={f"topic {topic}": 0.3 for topic in TOPICS}
        | {f"company {n}": 0.2 for n in some(200, COMPANIES)}
        | {f"source {n}": 0.1 for n in some(50, SOURCES)},
        vector=_unit(dice),
    )
    return Analyst(
        at, companies=frozenset(some(40, COMPANIES)), topics=frozenset({TOPICS[at % 50]}),
        interests=np.array([_unit(dice), _unit(dice)]), profile=profile,
    )  # fmt: skip


def _document(dice: np.random.Generator) -> Documents:
    companies = frozenset(int(v) for v in dice.choice(COMPANIES, 6, replace=False))
    return Documents(
        ids=np.array([1]), companies=(companies,), main=np.array([min(companies)]),
        topic_keys=TOPICS, topics=dice.random((1, 50)) ** 8, kinds=("news",),
        sources=dice.integers(0, SOURCES, 1), credibility=np.array([0.5]),
        vectors=_unit(dice)[None], characters=np.array([4_000.0]), groups=np.array([1]),
        opening=("what the document says first",),
    )  # fmt: skip


def _trees(dice: np.random.Generator) -> lightgbm_text.Trees:
    """As many and as deep as those that `train feed` makes."""
    # Seconds to load, and what serves does without.
    import lightgbm  # noqa: PLC0415

    table = dice.random((4_000, len(NAMES)))
    wanted = (3 * table[:, 0] + table[:, 12] * table[:, 6] + dice.normal(0, 0.3, 4_000)) > 2
    data = lightgbm.Dataset(table, wanted, feature_name=list(NAMES))
    settings = {"objective": "binary", "num_leaves": 15, "verbosity": -1, "num_threads": 1}
    return lightgbm_text.read(lightgbm.train(settings, data, 120).model_to_string())


def _unit(dice: np.random.Generator) -> np.ndarray[Any, np.dtype[np.float64]]:
    vector = dice.normal(size=DIMENSIONS)
    return vector / np.linalg.norm(vector)
