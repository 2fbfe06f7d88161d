"""Verdicts, follow-up questions, and the share of questions that were resolved."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from qa.feedback import BadFeedback, give, latest, note_follow_up, resolution
from qa.models import AnswerFeedback, Ask, FollowUp

pytestmark = pytest.mark.django_db
NOW = timezone.now()
MARGIN, YEAR, CAPEX = "metric:gross-margin", "period:2024", "metric:capex"


def asked(user: User, minutes: float, *keys: str, state: str = Ask.State.ANSWERED) -> Ask:
    """An answer of so many minutes after the hour, about these chips."""
    ask = Ask.objects.create(
        asker=user, text="?", state=state, created_at=NOW + timedelta(minutes=minutes),
        understood={"chips": [{"key": key, "ask": False} for key in keys]},
    )  # fmt: skip
    note_follow_up(ask)
    return ask


def rate() -> float | None:
    return resolution(NOW - timedelta(days=1), NOW + timedelta(days=1)).rate


def test_a_verdict_is_added_and_the_newest_holds(alice: User, bob: User) -> None:
    ask = asked(alice, 0, MARGIN)
    give(ask, alice, "down", reason="figure", text="It was 37.2.\0")
    give(ask, alice, "up", reason="figure", text="ignored")
    give(ask, bob, "down", reason="other")
    kept = list(AnswerFeedback.objects.order_by("pk").values_list("verdict", "reason", "text"))
    assert kept == [("down", "figure", "It was 37.2."), ("up", "", ""), ("down", "other", "")]
    assert latest(ask, alice).verdict == "up"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("verdict", "reason", "text"),
    [("", "", ""), ("great", "", ""), ("down", "nonsense", ""), ("down", "other", "x" * 2_001)],
)
def test_what_is_no_verdict_is_refused(alice: User, verdict: str, reason: str, text: str) -> None:
    with pytest.raises(BadFeedback):
        give(asked(alice, 0), alice, verdict, reason=reason, text=text)
    assert not AnswerFeedback.objects.exists()


def test_a_question_about_the_same_soon_after_is_a_follow_up(alice: User, bob: User) -> None:
    first = asked(alice, 0, MARGIN, YEAR, "company:7")
    asked(alice, 4, CAPEX, YEAR)
    asked(bob, 5, MARGIN)
    then = asked(alice, 9.9, MARGIN, "company:7")
    asked(alice, 30, MARGIN)
    assert list(FollowUp.objects.values_list("first", "then", "shared")) == [
        (first.pk, then.pk, ["company:7", MARGIN])
    ]


def test_choices_offered_are_not_what_a_question_is_about(alice: User) -> None:
    offered = asked(alice, 0, "company:7", state=Ask.State.ASK_BACK)
    asked(alice, 1, "company:7")
    assert not FollowUp.objects.filter(first=offered).exists()


def test_the_resolution_rate_counts_quiet_and_praised_answers(alice: User, bob: User) -> None:
    assert rate() is None
    quiet = asked(alice, 0, "company:1")
    followed = asked(alice, 0, "company:2")
    asked(alice, 1, "company:2")
    assert rate() == pytest.approx(2 / 3)
    give(quiet, bob, "down", reason="other")
    assert rate() == pytest.approx(2 / 3), "only the asker's own verdict counts"
    give(quiet, alice, "down", reason="other")
    assert rate() == pytest.approx(1 / 3)
    give(followed, alice, "used")
    assert rate() == pytest.approx(2 / 3)
    asked(alice, 60, state=Ask.State.NOT_FOUND)
    asked(alice, 61, state=Ask.State.FAILED)
    assert rate() == pytest.approx(2 / 4)
