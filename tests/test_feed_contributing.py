"""What a card is there for is told by what is true of its reader, however the ranker adds it up."""

from __future__ import annotations

from feed.contributing import strongest
from feed.ml.features import NAMES
from feed.models import FeedItem


def groups_of(**values: float) -> list[str]:
    item = FeedItem(pk=1, features=[values.get(name, 0.0) for name in NAMES])
    return strongest([item])[1]


def test_what_is_wanted_is_told_by_what_it_is_wanted_for() -> None:
    # Weights of the followed company alone are less than those of a source.
    known = {"source_rate": 0.9, "company_wanted": 0.8}
    assert groups_of(followed_any=1.0, followed_share=1.0, **known)[0] == "followed company"
    assert groups_of(asked_share=0.5, **known)[0] == "asked company"
    assert groups_of(read_company=0.5, **known)[0] == "read company"
    assert groups_of(followed_any=1.0, asked_share=0.5, **known)[0] == "followed company"


def test_a_topic_is_told_by_the_sign_that_says_most_of_this_document() -> None:
    assert groups_of(followed_topic=0.01, asked_topic=0.8, topic_wanted=1.0)[0] == "asked topic"
    assert groups_of(followed_topic=0.9, asked_topic=0.1, topic_wanted=1.0)[0] == "followed topic"


def test_a_taste_is_told_by_what_was_read_and_a_distaste_by_nothing() -> None:
    liked = groups_of(topic_match=0.1, interest_cosine=0.2, taste=1.0)
    assert liked[0] == "read topic"
    assert "read topic" not in groups_of(topic_match=0.1, interest_cosine=0.2, taste=-1.0)
    assert groups_of(taste=1.0) == []
