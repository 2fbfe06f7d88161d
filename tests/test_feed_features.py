"""The ranker's features are the same for one analyst and one document as for all at once."""

from __future__ import annotations

import numpy as np
import pytest

from feed.ml.facts import Analyst, Documents, Firm, Profile
from feed.ml.features import NAMES, features
from feed.ml.formula import score


def documents() -> Documents:
    """Three: of a company and of two, and one that is of nobody and has no vector yet."""
    return Documents(
        ids=np.array([1, 2, 3]), companies=(frozenset({5}), frozenset({6, 7}), frozenset()),
        main=np.array([5, 6, 0]), topic_keys=("mergers",), topics=np.array([[0.9], [0.1], [0.0]]),
        kinds=("news", "news", "filing"), sources=np.array([4, 4, 9]),
        credibility=np.array([0.5, 0.5, 0.7]),
        vectors=np.array([[1.0, 0.0], [0.6, 0.8], [0.0, 0.0]]),
        characters=np.array([100.0, 1_000.0, 0.0]), groups=np.array([1, 1, 3]),
        opening=("acme buys orion", "rates", ""),
    )  # fmt: skip


def analysts() -> list[Analyst]:
    """Who said much, who said nothing, and who only read."""
    return [
        Analyst(
            1, companies=frozenset({7}), topics=frozenset({"mergers"}), sources=frozenset({9}),
            phrases=("orion",), interests=np.array([[0.0, 1.0], [1.0, 0.0]]), seen=frozenset({1}),
        ),
        Analyst(2),
        Analyst(3, profile=Profile(
            companies={5: 0.5}, sources={4: (5.0, 10.0)}, vector=np.array([0.0, 1.0]), engaged=3.0
        )),
    ]  # fmt: skip


def test_together_is_as_one_by_one() -> None:
    rows, people, firm = documents(), analysts(), Firm(sources={9: (1.0, 50.0)})
    together = features(rows, people, firm)
    assert together.shape == (3, 3, len(NAMES))
    for row in range(3):
        for at, analyst in enumerate(people):
            alone = features(rows.rows([row]), [analyst], firm)[0, 0]
            assert np.array_equal(alone, together[row, at], equal_nan=True)


def test_what_they_say_of_these() -> None:
    made = features(documents(), analysts(), Firm())
    value = {name: made[:, :, at] for at, name in enumerate(NAMES)}
    assert value["followed_share"][:, 0].tolist() == [0.0, 0.5, 0.0]
    assert value["followed_any"][:, 0].tolist() == [0.0, 1.0, 0.0]
    assert value["followed_main"][:, 0].tolist() == [0.0, 0.0, 0.0]
    assert value["phrase"][:, 0].tolist() == [1.0, 0.0, 0.0]
    assert value["followed_source"][:, 0].tolist() == [0.0, 0.0, 1.0]
    assert value["seen_similar"][:, 0].tolist() == [1.0, 1.0, 0.0]
    assert value["interest_cosine"][:2, 0].tolist() == [1.0, 0.8]
    assert value["profile_cosine"][:2, 2].tolist() == [0.0, 0.8]
    assert np.isnan(value["profile_cosine"][2, 2])
    assert np.isnan(value["interest_cosine"][:, 1]).all()
    assert value["source_rate"][:, 2].tolist() == [7 / 30, 7 / 30, 0.1]
    assert not value["followed_any"][:, 1].any()


def test_what_is_followed_and_asked_about_is_hardly_wanted_more_than_what_is_followed() -> None:
    asked = Profile(asked_companies={6: 1.0}, asked_topics={"mergers": 0.5})
    both = Analyst(1, companies=frozenset({6}), topics=frozenset({"mergers"}), profile=asked)
    people = [both, Analyst(2, companies=frozenset({6})), Analyst(3, profile=asked)]
    made = features(documents(), people, Firm())
    value = {name: made[:, :, at] for at, name in enumerate(NAMES)}
    # Of the two companies of the second document the likelier one counts.
    assert value["company_wanted"][1].tolist() == pytest.approx([0.98, 0.8, 0.9])
    assert value["company_wanted"][0].tolist() == [0.0, 0.0, 0.0]
    # By log-odds: 0.9 is about the topic, 0.1 a bit over half, and 0 not at all.
    assert value["topic_wanted"][:, 0].tolist() == pytest.approx([1.0, 0.5606, 0.0], abs=1e-4)
    assert value["topic_wanted"][:, 2].tolist() == pytest.approx([0.5, 0.2803, 0.0], abs=1e-4)
    assert not value["topic_wanted"][:, 1].any()
    expected = value["company_wanted"] * value["topic_wanted"]
    assert value["both_wanted"].tolist() == expected.tolist()


def test_reading_of_a_company_tells_more_the_more_was_read() -> None:
    little, much = (Profile(companies={5: 0.5}, engaged=n) for n in (1.0, 10.0))
    made = features(documents(), [Analyst(1, profile=little), Analyst(2, profile=much)], Firm())
    found = made[0, :, NAMES.index("company_wanted")]
    assert found.tolist() == pytest.approx([0.15, 0.3])


def test_to_name_a_followed_company_outweighs_a_followed_topic() -> None:
    made = np.zeros((2, len(NAMES)))
    for row, names in enumerate(
        [("followed_any", "company_wanted"), ("followed_topic", "topic_wanted")]
    ):
        made[row, [NAMES.index(name) for name in names]] = 1.0
    assert score(made)[0] > score(made)[1] > 0


def test_nobody_and_nothing_are_no_error() -> None:
    assert features(documents(), [], Firm()).shape == (3, 0, len(NAMES))
    assert features(documents().rows([]), analysts(), Firm()).shape == (0, 3, len(NAMES))
