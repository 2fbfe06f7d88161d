"""What readers made of an answer: verdicts, follow-up questions, and the resolution rate."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from ingestion.querysets import User
from qa import experimenting
from qa.answer_tables import Ask
from qa.cache_tables import ExperimentOutcome
from qa.feedback_tables import AnswerFeedback, FollowUp

MOST_CHARACTERS = 2_000
FOLLOWS_WITHIN = timedelta(minutes=10)
# What makes two questions be about the same; a shared year alone does not.
ABOUT = ("company:", "metric:")
# States in which a person was told something; the others are neither resolved nor unresolved.
TOLD = (Ask.State.ANSWERED, Ask.State.NOT_FOUND, Ask.State.LOOKUP)


class BadFeedback(ValueError):
    """The verdict cannot be kept; the message tells the person why."""


@dataclass(frozen=True, slots=True)
class Resolution:
    """Of `asked` answers, how many resolved the question; `rate` is None where none was asked."""

    asked: int
    resolved: int

    @property
    def rate(self) -> float | None:
        return self.resolved / self.asked if self.asked else None


def give(
    ask: Ask, person: User, verdict: str, *, reason: str = "", text: str = ""
) -> AnswerFeedback:
    """Adds a verdict; the person's earlier ones stay and no longer count. Raises BadFeedback.

    Whether this person may read the answer is for the caller to find out first.
    """
    text = text.replace("\0", " ").strip()
    if verdict not in AnswerFeedback.Verdict.values:
        raise BadFeedback("Say whether the answer was helpful.")
    if reason and reason not in AnswerFeedback.Reason.values:
        raise BadFeedback("Choose one of the reasons.")
    if len(text) > MOST_CHARACTERS:
        raise BadFeedback(f"At most {MOST_CHARACTERS:,} characters.")
    if verdict != AnswerFeedback.Verdict.DOWN:
        reason = text = ""
    if ask.asker_id == person.pk:
        experimenting.note_outcome(ask, verdict)
    return AnswerFeedback.objects.create(
        ask=ask, person_id=person.pk, verdict=verdict, reason=reason, text=text
    )


def note_opened(ask: Ask, person: User) -> None:
    """The asker opened a passage of the answer."""
    if ask.asker_id == person.pk:
        experimenting.note_outcome(ask, ExperimentOutcome.Kind.OPENED)


def latest(ask: Ask, person: User) -> AnswerFeedback | None:
    """This person's verdict as it stands."""
    return AnswerFeedback.objects.filter(ask=ask, person=person.pk).first()


def note_follow_up(ask: Ask) -> list[FollowUp]:
    """Call once the question is understood: keeps which of the asker's last ones it follows.

    One that repeats the other word for word ("Ask again") follows it too.
    """
    if ask.asker_id is None:
        return []
    keys = subjects(ask.understood)
    earlier = (
        Ask.objects.only("text", "understood")
        .filter(
            asker=ask.asker_id,
            created_at__gte=ask.created_at - FOLLOWS_WITHIN,
            created_at__lt=ask.created_at,
            state__in=TOLD,
        )
        .exclude(pk=ask.pk)
    )
    pairs = [(first, sorted(keys & subjects(first.understood))) for first in earlier]
    for first, shared in pairs:
        # To have it composed after all is an outcome of its own.
        if shared and first.text != ask.text:
            experimenting.note_outcome(first, ExperimentOutcome.Kind.FOLLOWED)
    return FollowUp.objects.bulk_create(
        [FollowUp(first=first, then=ask, shared=shared) for first, shared in pairs if shared],
        ignore_conflicts=True,
    )


def subjects(understood: dict[str, object]) -> set[str]:
    """Keys of the companies and metrics among the chips; not those that only offer a choice."""
    chips = understood.get("chips")
    found: Collection[object] = chips if isinstance(chips, list) else ()
    return {
        str(chip.get("key"))
        for chip in found
        if isinstance(chip, dict) and not chip.get("ask") and str(chip.get("key")).startswith(ABOUT)
    }


def resolution(since: datetime, until: datetime) -> Resolution:
    """Of the answers of that time: used or called helpful, or neither followed up nor faulted.

    "Not found" resolves nothing unless its reader says that it helped.
    """
    asked = Ask.objects.filter(state__in=TOLD, created_at__gte=since, created_at__lt=until)
    return Resolution(asked.count(), _resolved(asked).count())


def _resolved(asked: QuerySet[Ask]) -> QuerySet[Ask]:
    own = AnswerFeedback.objects.filter(ask=OuterRef("pk"), person=OuterRef("asker"))
    followed = FollowUp.objects.filter(first=OuterRef("pk"))
    judged = asked.annotate(verdict=Subquery(own.order_by("-id").values("verdict")[:1]))
    praised = Q(verdict__in=(AnswerFeedback.Verdict.UP, AnswerFeedback.Verdict.USED))
    quiet = Q(verdict__isnull=True) & ~Exists(followed) & ~Q(state=Ask.State.NOT_FOUND)
    return judged.filter(praised | quiet)
