"""Whether composed answers help: a share of the analysts sees ranked passages first.

Who is in which arm follows from a hash of person and experiment, so it never changes on the way.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import Count, QuerySet

from ingestion.querysets import User
from qa.answer_tables import Ask
from qa.cache_tables import ExperimentExposure, ExperimentOutcome

EXPERIMENT = "passages or synthesis"
PASSAGES = "passages"
SYNTHESIS = "synthesis"
ANALYSTS = "analyst"
NOTHING_DONE = "None of these"
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


def note_outcome(ask: Ask, kind: str) -> None:
    """Keeps what the asker did with an answer, where it was one of the experiment."""
    exposure = ExperimentExposure.objects.filter(ask=ask).first()
    if exposure is not None:
        ExperimentOutcome.objects.get_or_create(exposure=exposure, kind=kind)


def _note_of_last(ask: Ask, user: User) -> None:
    """The person asked for the answer of a question that had shown passages."""
    shown = ExperimentExposure.objects.filter(person=user.pk, arm=PASSAGES, ask__text=ask.text)
    last = shown.order_by("-created_at").first()
    if last is not None:
        note_outcome(last.ask, ExperimentOutcome.Kind.COMPOSED)


@dataclass(frozen=True, slots=True)
class Counted:
    """How many of an arm's questions had this outcome; shares are of all its questions, 0 to 1."""

    label: str
    n: int
    of: int
    share: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Arm:
    """What was seen in one arm. A question may have several outcomes, or none (`NOTHING_DONE`)."""

    name: str
    people: int
    questions: int
    outcomes: list[Counted]


def arms(since: datetime | None = None) -> list[Arm]:
    """Both arms with exposure and outcomes, `passages` first; `since` None for all there is.

    The interval of a share is Wilson's at 95 % (Wilson 1927). It takes questions as independent of
    each other, which those of one person are not, so it is too narrow where few people asked.
    """
    exposed = ExperimentExposure.objects.filter(experiment=EXPERIMENT)
    if since is not None:
        exposed = exposed.filter(created_at__gte=since)
    return [_arm(name, exposed.filter(arm=name)) for name in (PASSAGES, SYNTHESIS)]


def by_outcome(found: Sequence[Arm]) -> list[tuple[str, tuple[Counted, ...]]]:
    """(label, the arms' counts beside each other) for a table."""
    return [(cells[0].label, cells) for cells in zip(*(arm.outcomes for arm in found), strict=True)]


def _arm(name: str, exposed: QuerySet[ExperimentExposure]) -> Arm:
    seen = exposed.order_by().aggregate(people=Count("person", distinct=True), n=Count("pk"))
    found = ExperimentOutcome.objects.filter(exposure__in=exposed).order_by()
    by_kind = dict(found.values_list("kind").annotate(n=Count("pk")))
    rows = [(str(kind.label), by_kind.get(kind, 0)) for kind in ExperimentOutcome.Kind]
    acted = found.values("exposure").distinct().count()
    rows.append((NOTHING_DONE, seen["n"] - acted))
    return Arm(
        name, seen["people"], seen["n"], [_counted(label, n, seen["n"]) for label, n in rows]
    )


def _counted(label: str, n: int, of: int) -> Counted:
    if not of:
        return Counted(label, n, of, 0.0, 0.0, 1.0)
    share, z = n / of, 1.96
    middle = (share + z * z / (2 * of)) / (1 + z * z / of)
    half = z / (1 + z * z / of) * math.sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    return Counted(label, n, of, share, max(0.0, middle - half), min(1.0, middle + half))
