"""A made-up firm over a newswire: what it wants, what the product hears of it, how it is judged."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from feed.ml.facts import Documents, Profile
from feed.ml.features import NAMES
from training.evaluation import feed
from training.evaluation.feed_grades import Judged, lists_of
from training.evaluation.feed_sessions import CARDS, Weeks, largest_share, newcomers
from training.evaluation.newswire import Newswire, stories_of
from training.evaluation.simulated_firm import Firm

STORY = """<REUTERS TOPICS="YES"><DATE>26-FEB-1987 15:01:01.79</DATE><TOPICS><D>acq</D></TOPICS>
<PLACES><D>usa</D></PLACES><TEXT><TITLE>STANDARD OIL &lt;SRD> TO FORM UNIT</TITLE>
<DATELINE>    CLEVELAND, Feb 26 - </DATELINE><BODY>Standard Oil Co and BP North America
&lt;BP> said they plan a venture.</BODY></TEXT></REUTERS>"""


def wire(n: int = 600, seed: int = 1) -> Newswire:
    """Two weeks of stories, each of one of ten topics and sometimes of one of thirty companies."""
    dice = np.random.default_rng(seed)
    about = dice.integers(0, 10, n)
    named = [frozenset({int(c)}) if c <= 30 else frozenset() for c in dice.integers(1, 60, n)]
    vectors = np.eye(16)[about] + dice.normal(0, 0.1, (n, 16))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    documents = Documents(
        ids=np.arange(1, n + 1), companies=tuple(named),
        main=np.array([min(one, default=0) for one in named]),
        topic_keys=("first", "second"), topics=np.stack([about == 0, about == 1], axis=1) * 0.9,
        kinds=tuple(dice.choice(["news", "announcement"], n).tolist()),
        sources=dice.integers(1, 6, n), credibility=np.full(n, 0.5), vectors=vectors,
        characters=np.full(n, 900.0), groups=np.arange(1, n + 1), opening=("",) * n,
    )  # fmt: skip
    words = {f"t{at}": np.eye(16)[at] for at in range(10)}
    return Newswire(
        documents, np.sort(dice.uniform(0, 12, n)), tuple(frozenset({f"t{at}"}) for at in about),
        tuple(frozenset({f"p{at}"}) for at in dice.integers(0, 4, n)),
        tuple(f"C{at}" for at in range(30)), {"t0": "first", "t1": "second"}, words,
    )  # fmt: skip


def test_the_company_of_the_title_is_the_storys_own() -> None:
    [story] = stories_of(STORY)
    assert story["companies"] == ["SRD", "BP"]
    assert story["text"].startswith("STANDARD OIL SRD TO FORM UNIT\n\n")
    assert story["topics"] == {"acq"}


def test_the_same_seed_makes_the_same_firm() -> None:
    one, same, other = (Firm(wire(), 12, 7.0, seed) for seed in (3, 3, 4))
    assert [w.companies for w in one.before] == [w.companies for w in same.before]
    assert [w.topics for w in one.after] == [w.topics for w in same.after]
    assert [w.topics for w in one.before] != [w.topics for w in other.before]


def test_who_drifts_does_so_on_a_day_of_their_own_and_others_never() -> None:
    firm = Firm(wire(), 30, 7.0, 3)
    drifting = np.isfinite(firm.drifts_at)
    assert drifting.sum() == 10
    assert len(np.unique(firm.drifts_at[drifting])) == 10
    assert (firm.drifts_at[drifting] < 7.0).all()
    assert all((firm.before[at] is firm.after[at]) != drifting[at] for at in range(30))
    rows = np.arange(50)
    after = firm.expected(11.0, rows) + 0.12 * (11.0 - firm.wire.days[rows])
    early = firm.expected(0.0, rows) + 0.12 * np.maximum(0.0, 0.0 - firm.wire.days[rows])
    assert np.allclose(early[~drifting], after[~drifting], atol=1e-5)
    assert not np.allclose(early[drifting], after[drifting], atol=1e-5)


def test_what_is_read_is_followed_only_if_it_is_wanted() -> None:
    firm = Firm(wire(), 10, 7.0, 3)
    wants = firm.before[1]
    [row, *_] = np.flatnonzero(np.isin(firm.wire.documents.main, sorted(wants.companies)))
    for other in range(len(firm.wire.documents)):
        if int(firm.wire.documents.main[other]) not in wants.companies:
            firm.read(1, 0.0, other)
    empty = wants.follows
    assert firm.analyst(1, 0.0, Profile(), frozenset()).companies == empty
    for _ in range(100):
        firm.read(1, 0.0, int(row))
    known = firm.analyst(1, 0.0, Profile(), frozenset()).companies
    assert known == empty | {int(firm.wire.documents.main[row])}


def test_newcomers_are_shown_nothing_and_have_the_vector_of_what_they_follow() -> None:
    source = wire()
    weeks = Weeks(source, Firm(source, 20, 7.0, 3), newcomers(20), 3)
    seen = []
    for look in weeks.looks(0, 7):
        weeks.show(look, feed.formula_policy)
        seen.append(look)
    last = seen[-1]
    shown = weeks.log.shown()
    assert set(shown.analyst.tolist()) == set(range(18))
    assert newcomers(20) == [18, 19]
    assert shown.position.max() == CARDS
    closeness = last.made[:, 18:, NAMES.index("profile_cosine")]
    assert np.isfinite(closeness).any()
    assert last.unread[18:].all()
    assert not last.unread[:18].all()


def test_the_best_order_has_an_ndcg_of_one_and_is_better_for_everybody() -> None:
    source = wire()
    weeks = Weeks(source, Firm(source, 20, 7.0, 3), newcomers(20), 3)
    cold = np.isin(np.arange(20), newcomers(20))
    table = Judged(cold, np.zeros(20, dtype=bool))
    for look in list(weeks.looks(7, 9)):
        grades = look.grades.T.astype(float)
        table.judge(look, {"right": grades, "wrong": -grades})
    assert table.means()["right"] == {"all": 1.0, "cold start": 1.0, "others": 1.0}
    assert table.mean("wrong") < 0.3
    low, high = table.interval("right", "wrong")
    assert 0.7 < low <= 1.0 - table.mean("wrong") <= high


def test_a_list_stands_for_all_that_an_analyst_has_not_read() -> None:
    source = wire()
    weeks = Weeks(source, Firm(source, 6, 7.0, 3), (), 3)
    look = next(weeks.looks(7, 9))
    lists = lists_of(look, np.random.default_rng(0))
    assert lists is not None
    assert lists.times.sum() == pytest.approx((int(lists.query[-1]) + 1) * len(look.rows))
    assert (lists.times[lists.grade > 0] == 1).all()


def test_a_few_sources_that_have_all_is_seen() -> None:
    assert largest_share(Counter({1: 8, 2: 1, 3: 1}), most=1) == pytest.approx(0.8)
    assert largest_share(Counter()) == 0.0
