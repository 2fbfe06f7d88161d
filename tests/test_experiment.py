"""Who is shown passages first, what becomes of it, and what the operator reads of that."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.utils import timezone
from reading_corpus import library

from qa.answer_tables import Ask
from qa.asking import ask
from qa.experimenting import PASSAGES, SYNTHESIS, Arm, arm_of, arms
from qa.feedback import give, note_follow_up
from qa.models import ExperimentExposure, ExperimentOutcome

pytestmark = pytest.mark.django_db(transaction=True)
MARGIN = "What was the gross margin of Tidewater Foods in fiscal year 2024?"


@pytest.fixture(autouse=True)
def storage(settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path


def exposed(person: User, arm: str, **fields: Any) -> Ask:
    row = Ask.objects.create(asker=person, **{"text": "Why?", "state": Ask.State.LOOKUP, **fields})
    ExperimentExposure.objects.create(
        experiment="passages or synthesis", arm=arm, person=person, ask=row
    )
    return row


def outcomes(row: Ask) -> list[str]:
    found = ExperimentOutcome.objects.filter(exposure__ask=row)
    return list(found.order_by("kind").values_list("kind", flat=True))


def counts(arm: Arm) -> dict[str, int]:
    return {row.label: row.n for row in arm.outcomes}


def test_passages_are_shown_until_the_answer_is_asked_for(
    alice: User, eve: User, settings: Any
) -> None:
    library(embed=True)
    settings.ASK_EXPERIMENT_SHARE = 1.0
    row = ask(MARGIN, alice)
    assert (row.state, row.receipt["experiment"]) == ("lookup", "passages")
    assert row.passages.exists()
    assert "passages" in row.notice
    composed = ask(MARGIN, alice, compose_anyway=True)
    assert composed.state == "answered"
    # Asking for the answer is no follow-up, and no further question of the experiment.
    assert ExperimentExposure.objects.get().ask == row
    assert outcomes(row) == ["composed"]
    assert ask(MARGIN, eve).state == "answered"


def test_a_share_of_the_analysts_is_drawn_by_their_account(settings: Any, db: None) -> None:
    settings.ASK_EXPERIMENT_SHARE = 0.1
    analysts = Group.objects.get(name="analyst")
    people = User.objects.bulk_create(User(username=f"analyst{n}") for n in range(400))
    User.groups.through.objects.bulk_create(
        User.groups.through(user=person, group=analysts) for person in people
    )
    drawn = [arm_of(person) for person in people]
    assert drawn == [arm_of(person) for person in people]
    assert 15 <= drawn.count(PASSAGES) <= 70
    assert drawn.count(PASSAGES) + drawn.count(SYNTHESIS) == 400


def test_what_the_asker_does_is_kept_once_each(alice: User, bob: User) -> None:
    about = {"chips": [{"key": "metric:gross-margin", "ask": False}]}
    row = exposed(alice, PASSAGES, understood=about)
    client = Client()
    client.force_login(alice)
    for _ in range(2):
        assert client.post(f"/answers/{row.public_id}/opened/").status_code == 204
    give(row, alice, "down", reason="incomplete")
    give(row, alice, "used")
    give(row, alice, "used")
    # What others make of it says nothing of how it was shown to the asker.
    give(row, bob, "up")
    note_follow_up(Ask.objects.create(asker=alice, text="And why?", understood=about))
    assert outcomes(row) == ["down", "followed", "opened", "used"]
    alone = Ask.objects.create(asker=alice, text="Not in it", state="answered")
    give(alone, alice, "up")
    assert ExperimentOutcome.objects.count() == 4


def test_nobody_opens_for_another(alice: User, bob: User) -> None:
    row = exposed(alice, PASSAGES)
    client = Client()
    client.force_login(bob)
    assert client.post(f"/answers/{row.public_id}/opened/").status_code == 404
    assert outcomes(row) == []


def test_the_operator_reads_exposure_and_outcome_per_arm(
    alice: User, bob: User, olga: User
) -> None:
    assert [arm.questions for arm in arms()] == [0, 0]
    for n in range(4):
        row = exposed(alice, PASSAGES)
        if n:
            give(row, alice, "up")
    give(row, alice, "used")
    old = exposed(bob, SYNTHESIS)
    give(old, bob, "down", reason="figure")
    ExperimentExposure.objects.filter(ask=old).update(
        created_at=timezone.now() - timedelta(days=60)
    )
    passages, synthesis = arms()
    assert (passages.people, passages.questions) == (1, 4)
    assert counts(passages) == {
        "Used": 1, "Helpful": 3, "Not helpful": 0, "Opened a passage": 0, "Had it composed": 0,
        "Asked about it again": 0, "None of these": 1,
    }  # fmt: skip
    helpful = passages.outcomes[1]
    assert helpful.share == 0.75
    # Wilson's interval for 3 of 4.
    assert (round(helpful.low, 3), round(helpful.high, 3)) == (0.301, 0.954)
    assert counts(synthesis)["Not helpful"] == 1
    assert arms(timezone.now() - timedelta(days=30))[1].questions == 0
    client = Client()
    client.force_login(olga)
    page = client.get("/experiment/").content.decode()
    assert "Passages or synthesis" in page
    assert "75\u202f% (30\u202f% to 95\u202f%)" in page
    assert client.get("/experiment/?days=30").status_code == 200
    assert client.get("/experiment/?days=9" + "9" * 30).status_code == 200
