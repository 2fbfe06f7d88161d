"""Record an expert's verdict: one transaction, after which readers see what it says.

Everything is added and nothing overwritten: an undone verdict is followed by its undoing.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, replace

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from docintel.locking import one_at_a_time
from extraction.models import ExtractionRun
from extraction.settling import say, settle
from ingestion.models import Document
from review import settling_documents
from review.carrying_over import carry_over
from review.correction_tables import Correction, CorrectionQuerySet
from review.item_tables import ItemQuerySet, ReviewItem
from review.judging import BadVerdict, Given, added, judged
from review.leasing import FREE, take
from review.proposals import Proposal, words_of

# More documents than this at once would keep the person waiting.
MOST_AT_ONCE = 500
AMENDED = (
    "The document was amended meanwhile. Your verdict is kept for the revision that you saw, and "
    "the place in the new one is in the queue where its words still stand."
)
Verdict, Role = Correction.Verdict, Correction.Role
Kind, State, Why = ReviewItem.Kind, ReviewItem.State, ReviewItem.Why
# Bulk: what can be said of the same words elsewhere.
FOR_ALL = (Verdict.ACCEPT, Verdict.REJECT, Verdict.RELABEL)


class Overtaken(Exception):
    """Somebody else gave a verdict since the item was opened; nothing was kept.

    `seen` is what to send along to give one's own all the same.
    """

    def __init__(self, last: Correction) -> None:
        self.seen = last.pk
        said = last.get_verdict_display().lower()
        super().__init__(
            f"{last.who} has judged it since you opened it: {said}. Look again; the same key once "
            "more puts your verdict in its place."
        )


@dataclass(slots=True)
class Said:
    """What was recorded: the verdict on the item first; `note` is for the person."""

    corrections: list[Correction]
    note: str = ""

    @property
    def added(self) -> bool:
        """Whether it is about something that an expert added beside an item."""
        return self.corrections[0].item.why == Why.ADDED


@transaction.atomic
def correct(user: User, item_id: int, given: Given) -> Said:
    """Record one verdict and make the results agree with it.

    Raises BadVerdict for one that cannot be, Overtaken where somebody was quicker, and
    ReviewItem.DoesNotExist for an item that this person may not see. `given.all` gives the same
    verdict to all waiting items of the same words and label.
    """
    items = ReviewItem.objects.visible_to(user).select_related("document", "schema")
    item = items.select_for_update(of=("self",)).get(pk=item_id)
    if given.verdict == Verdict.ADD or (given.verdict == Verdict.LINK and item.kind == Kind.SPAN):
        item = _beside(item, given)
        before = None if item.why == Why.ADDED else item.proposal
        said = Said([_record(user, item, given, (before, item.proposal))])
    else:
        _refuse_late(item, user, given)
        said = Said([_record(user, item, given, judged(item, given))])
    if given.all and given.verdict in FOR_ALL:
        one_at_a_time(f"review of {item.schema_id} {item.label} {item.text_key}")
        others = same_text(item, user).select_for_update(of=("self",)).order_by("pk")
        alike = replace(given, seconds=0.0, batch=said.corrections[0].batch)
        said.corrections += [
            _record(user, other, alike, judged(other, alike)) for other in others[:MOST_AT_ONCE]
        ]
    _take_effect(said)
    return said


@transaction.atomic
def undo(user: User, correction: Correction) -> Said:
    """Take back a verdict of one's own, with all that the same key did; its items wait again.

    Raises BadVerdict where it is somebody else's or was undone before.
    """
    batch = Correction.objects.filter(batch=correction.batch, who_id=user.pk)
    standing = list(batch.exclude(verdict=Verdict.UNDO).filter(undone_by=None).order_by("pk"))
    if correction.who_id != user.pk or not standing:
        raise BadVerdict("There is nothing of yours to undo here.")
    ids = [one.item_id for one in standing]
    items = ReviewItem.objects.select_for_update(of=("self",)).order_by("pk").in_bulk(ids)
    made = [_undone(user, one, items[one.item_id]) for one in standing]
    said = Said(made)
    _take_effect(said)
    return said


def last_of(user: User) -> Correction | None:
    """What `undo` would take back: this person's last verdict that still stands."""
    mine = Correction.objects.filter(who_id=user.pk, undone_by=None)
    return mine.exclude(verdict=Verdict.UNDO).order_by("-pk").first()


def seen_by(item: ReviewItem, user: User) -> CorrectionQuerySet:
    """The verdicts on an item that this person may know of, the last first.

    Who is asked for a second opinion does not know the first while it is wanted.
    """
    said = item.corrections.order_by("-pk")
    blind = item.wanted > 1 and item.state in (State.OPEN, State.SKIPPED)
    return said.filter(who_id=user.pk) if blind else said


def same_text(item: ReviewItem, user: User) -> ItemQuerySet:
    """Other waiting items of the same words, label and schema that this person may judge now.

    Not those for which a second opinion is wanted: nobody looks at them here.
    """
    if item.kind != Kind.SPAN or not item.text_key:
        return ReviewItem.objects.none()
    alike = ReviewItem.objects.filter(
        schema=item.schema_id, label=item.label, text_key=item.text_key, kind=item.kind, wanted=1
    )
    mine = alike.visible_to(user).waiting().unheld() | alike.visible_to(user).waiting().filter(
        leased_to=user
    )
    return mine.exclude(pk=item.pk).select_related("document", "schema")


def _refuse_late(item: ReviewItem, user: User, given: Given) -> None:
    last = seen_by(item, user).first()
    if last is not None and last.pk != given.seen:
        raise Overtaken(last)


def _beside(item: ReviewItem, given: Given) -> ReviewItem:
    """An item for what an expert adds while looking at another, which goes on waiting."""
    if item.document is None or item.schema is None:
        raise BadVerdict("Nothing can be added here.")
    kind, proposal = added(item, given)
    span = proposal if kind == Kind.SPAN else proposal["head"]
    made = ReviewItem(
        kind=kind, document=item.document, schema=item.schema,
        schema_version=item.schema_version, label=proposal.get("label") or proposal["relation"],
        start=span["start"], end=span["end"], text=span["text"], proposal=proposal,
        confidence=1.0, why=Why.ADDED, reason="An expert added it.", state=State.GONE,
    ).keyed()  # fmt: skip
    known = ReviewItem.objects.filter(kind=kind, key=made.key).first()
    if known is None:
        made.save()
    return known or made


def _record(
    user: User, item: ReviewItem, given: Given, changed: tuple[Proposal | None, Proposal | None]
) -> Correction:
    role = _role(item, user)
    before, after = changed
    document = item.document
    correction = Correction.objects.create(
        item=item, kind=item.kind, verdict=given.verdict, role=role, before=before, after=after,
        reason=given.reason[:2_000], document=document,
        text_sha256=document.text_sha256 if document else "", schema=item.schema,
        schema_version_id=item.schema_version_id, model_version_id=item.model_version_id,
        confidence=None if item.why == Why.ADDED else item.confidence, audit=item.audit,
        who=user.get_username(), who_id=user.pk, seconds=given.seconds,
        batch=given.batch or uuid.uuid4(),
    )  # fmt: skip
    _leave(item)
    return correction


def _role(item: ReviewItem, user: User) -> str:
    if item.state == State.ADJUDICATE:
        if not user.has_perm("review.adjudicate_reviewitem"):
            raise BadVerdict("Two experts disagree about it; who settles that needs the right to.")
        return Role.ADJUDICATION
    if item.wanted < 2:
        return Role.ONLY
    said = Correction.objects.standing().filter(item=item)
    first = said.filter(role=Role.FIRST).first()
    if first is None:
        return Role.FIRST
    if item.state == State.OPEN and first.who_id != user.pk:
        return Role.SECOND
    if item.state == State.OPEN:
        raise BadVerdict("You gave an opinion on it already; another expert is asked now.")
    return Role.ADJUDICATION


def _leave(item: ReviewItem) -> None:
    """Nobody's any more, and in the state that follows from what was said."""
    item.state = _state(item)
    waits = item.state in (State.OPEN, State.ADJUDICATE)
    item.closed_at = None if waits else timezone.now()
    item.leased_to, item.leased_until = None, None
    item.save(update_fields=["state", "closed_at", *FREE])


def _state(item: ReviewItem) -> str:
    standing = Correction.objects.standing().filter(item=item)
    by_role = {one.role: one for one in standing.order_by("pk")}
    if Role.ONLY in by_role or Role.ADJUDICATION in by_role:
        return State.DONE
    first, second = by_role.get(Role.FIRST), by_role.get(Role.SECOND)
    if first and second:
        return State.DONE if first.after == second.after else State.ADJUDICATE
    if item.why == Why.ADDED:
        return State.GONE
    last = item.corrections.filter(undone_by=None).order_by("-pk").first()
    skipped = last is not None and last.verdict == Verdict.SKIP
    return State.SKIPPED if skipped else State.OPEN


def _undone(user: User, one: Correction, item: ReviewItem) -> Correction:
    made = Correction.objects.create(
        item=item, kind=one.kind, verdict=Verdict.UNDO, role=one.role, before=one.after,
        after=one.before, document_id=one.document_id, text_sha256=one.text_sha256,
        schema_id=one.schema_id, schema_version_id=one.schema_version_id,
        model_version_id=one.model_version_id, confidence=one.confidence, audit=one.audit,
        who=user.get_username(), who_id=user.pk, undo_of=one,
    )  # fmt: skip
    _leave(item)
    take(item, user)
    return made


def _take_effect(said: Said) -> None:
    """What readers see follows from the final verdict on each item."""
    touched: set[tuple[int, int]] = set()
    for item in _items_of(said.corrections):
        final = Correction.objects.final().filter(item=item).first()
        if item.kind in settling_documents.KINDS:
            settling_documents.settle(item, final)
        if item.document_id is None or item.schema_id is None:
            continue
        words = words_of(final.before, final.after) if final else []
        say(item.document_id, item.schema_id, item.pk, words)
        touched.add((item.document_id, item.schema_id))
    for document_id, schema_id in sorted(touched):
        settle(document_id, schema_id)
        if _carried_over(document_id, schema_id):
            said.note = AMENDED


def _items_of(corrections: Iterable[Correction]) -> list[ReviewItem]:
    found = {one.item_id: one.item for one in corrections if one.verdict != Verdict.SKIP}
    return [found[pk] for pk in sorted(found)]


def _carried_over(document_id: int, schema_id: int) -> bool:
    """Whether the document was amended; then what was said is proposed for the new revision."""
    later = Document.objects.filter(supersedes=document_id)
    runs = ExtractionRun.objects.shown().filter(schema=schema_id, document__in=later)
    for run in runs.select_related("document__supersedes"):
        carry_over(run)
    return later.exists()
