"""Whether composed answers help: a share of the analysts sees ranked passages first.

Who is in which arm follows from a hash of person and experiment, so it never changes on the way.
"""

from __future__ import annotations

import hashlib
from typing import Any

from django.conf import settings
from django.utils import timezone

from ingestion.querysets import User
from qa.answer_tables import Ask
from qa.cache_tables import ExperimentExposure

EXPERIMENT = "passages or synthesis"
PASSAGES = "passages"
SYNTHESIS = "synthesis"
ANALYSTS = "analyst"
COMPOSED = "composed anyway"
NOTE = (
    "You see the best passages without a composed answer: you are one of the analysts with whom "
    "we compare the two. The answer is composed when you ask for it."
)


def arm_of(user: User) -> str:
    """`passages` or `synthesis`; empty for who is no analyst, and while the share is 0."""
    person: Any = user
    if settings.ASK_EXPERIMENT_SHARE <= 0 or not user.is_authenticated or not user.pk:
        return ""
    if not person.groups.filter(name=ANALYSTS).exists():
        return ""
    digest = hashlib.sha256(f"{EXPERIMENT}:{person.pk}".encode()).digest()
    point = int.from_bytes(digest[:8], "big") / 2**64
    return PASSAGES if point < settings.ASK_EXPERIMENT_SHARE else SYNTHESIS


def expose(ask: Ask, user: User, *, compose_anyway: bool) -> str:
    """The arm in which this question is answered, recorded; empty where there is none.

    A lookup lists passages in either arm and is not counted.
    """
    arm = arm_of(user) if ask.route != "lookup" else ""
    if not arm:
        return ""
    if compose_anyway:
        _note_of_last(ask, user)
        return SYNTHESIS
    ExperimentExposure.objects.create(
        experiment=EXPERIMENT, arm=arm, person_id=int(user.pk or 0), ask=ask
    )
    return arm


def note_outcome(ask: Ask, outcome: str) -> None:
    """What became of an answer in the experiment; the first outcome stays."""
    ExperimentExposure.objects.filter(ask=ask, outcome="").update(
        outcome=outcome[:30], outcome_at=timezone.now()
    )


def _note_of_last(ask: Ask, user: User) -> None:
    """The person asked for the answer of a question that had shown passages."""
    shown = ExperimentExposure.objects.filter(person=user.pk, arm=PASSAGES, ask__text=ask.text)
    last = shown.order_by("-created_at").first()
    if last is not None:
        note_outcome(last.ask, COMPOSED)
