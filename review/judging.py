"""What a verdict makes of a proposal: what was, and what is right instead."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from extraction import shown
from ingestion.models import Company
from qa.ml.router import TIERS
from review.correction_tables import Correction
from review.item_tables import ReviewItem
from review.placing import BadPlace, place
from review.proposals import Proposal, a_relation, of_span

Verdict, Kind = Correction.Verdict, ReviewItem.Kind
# Which verdicts there are on which kind of item, besides a skip.
CAN: dict[str, tuple[str, ...]] = {
    Kind.SPAN: (Verdict.ACCEPT, Verdict.REJECT, Verdict.RELABEL, Verdict.MOVE),
    Kind.RELATION: (Verdict.ACCEPT, Verdict.REJECT, Verdict.LINK),
    Kind.SENTENCE: (Verdict.ACCEPT, Verdict.REJECT),
    Kind.ROUTER: (Verdict.ACCEPT, Verdict.RELABEL),
    Kind.ENTITY: (Verdict.ACCEPT, Verdict.REJECT, Verdict.RELABEL),
    Kind.TOPIC: (Verdict.ACCEPT, Verdict.REJECT),
}


class BadVerdict(Exception):
    """A verdict that cannot be given; the message says why, for the person who gave it."""


@dataclass(frozen=True, slots=True)
class Given:
    """What an expert says. `seen` is the last verdict that they knew of, 0 for none.

    A span is `start`, `end` and `label`; a relation `relation` between the shown spans with the
    ids `head` and `tail`; of a company link `label` is the id of the right company. `all`: the same
    for all waiting items of the same words and label.
    """

    verdict: str
    label: str = ""
    start: int | None = None
    end: int | None = None
    relation: str = ""
    head: int | None = None
    tail: int | None = None
    reason: str = ""
    seconds: float | None = None
    seen: int = 0
    all: bool = False
    batch: uuid.UUID | None = None


def judged(item: ReviewItem, given: Given) -> tuple[Proposal | None, Proposal | None]:
    """Before and after, as a correction holds them. Raises BadVerdict."""
    if given.verdict == Verdict.SKIP:
        if not given.reason.strip():
            raise BadVerdict("Say why you skip it.")
        return item.proposal, None
    if given.verdict not in CAN[item.kind]:
        raise BadVerdict(f"There is no such verdict on this: {given.verdict}.")
    if given.verdict == Verdict.REJECT:
        return item.proposal, None
    if given.verdict == Verdict.ACCEPT:
        return item.proposal, item.proposal
    if given.verdict == Verdict.LINK:
        return item.proposal, _linked(item, given)
    if item.kind == Kind.ROUTER:
        return item.proposal, _rerouted(item, given)
    if item.kind == Kind.ENTITY:
        return item.proposal, _relinked(item, given)
    return item.proposal, _changed(item, given)


def added(item: ReviewItem, given: Given) -> tuple[str, Proposal]:
    """The kind and proposal of what is added to the document of this item. Raises BadVerdict."""
    if given.verdict == Verdict.LINK:
        return Kind.RELATION, _linked(item, given)
    return Kind.SPAN, _placed(item, given.label, given.start, given.end)


def _changed(item: ReviewItem, given: Given) -> Proposal:
    """The span with its new label or boundary."""
    old: dict[str, Any] = item.proposal
    start = old["start"] if given.start is None else given.start
    end = old["end"] if given.end is None else given.end
    after = _placed(item, given.label or old["label"], start, end)
    if after == old:
        raise BadVerdict("Nothing was changed; accept it if it is right.")
    if not (after["start"] < old["end"] and old["start"] < after["end"]):
        raise BadVerdict("It lies elsewhere now; reject this one and add the other.")
    return after


def _placed(item: ReviewItem, label: str, start: int | None, end: int | None) -> Proposal:
    if item.document is None or item.schema is None or start is None or end is None:
        raise BadVerdict("Mark the words first.")
    try:
        return place(item.document, item.schema.read(), label, start, end)
    except BadPlace as error:
        raise BadVerdict(str(error)) from error


def _linked(item: ReviewItem, given: Given) -> Proposal:
    """The relation between two shown spans."""
    if item.document is None or item.schema is None:
        raise BadVerdict("Nothing can be linked here.")
    name = given.relation or item.proposal.get("relation", "")
    if name not in {relation.name for relation in item.schema.read().relations}:
        raise BadVerdict(f"The schema has no relation “{name}”.")
    rows = shown.spans_of(item.document, item.schema.pk).in_bulk([given.head, given.tail])
    head, tail = rows.get(given.head), rows.get(given.tail)
    if head is None or tail is None:
        raise BadVerdict("One of the two spans is no longer there; look again.")
    if head == tail:
        raise BadVerdict("A span cannot belong to itself.")
    return a_relation(name, of_span(head), of_span(tail))


def _relinked(item: ReviewItem, given: Given) -> Proposal:
    """The name as another of the companies that were offered."""
    offered = {str(pk) for pk in item.proposal["offered"]}
    company = Company.objects.filter(pk=given.label).first() if given.label in offered else None
    if company is None:
        raise BadVerdict("It may be one of the companies below, or none.")
    if company.pk == item.proposal["company"]:
        raise BadVerdict("Nothing was changed; accept it if it is right.")
    return {**item.proposal, "company": company.pk, "company_name": company.name}


def _rerouted(item: ReviewItem, given: Given) -> Proposal:
    if given.label not in TIERS:
        raise BadVerdict(f"A question goes one of these ways: {', '.join(TIERS)}.")
    if given.label == item.proposal["route"]:
        raise BadVerdict("Nothing was changed; accept it if it is right.")
    return {**item.proposal, "route": given.label}
