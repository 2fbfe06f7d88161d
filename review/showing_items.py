"""All that the desk shows of one item: the passage with its spans, what can be said, and why."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from django.contrib.auth.models import User
from django.db.models.functions import Length, Substr

from extraction import shown
from extraction.delivering import deliver_at
from extraction.models import ExtractedSpan
from extraction.schema import SchemaSpec
from ingestion.models import Document
from qa.ml.router import TIERS
from qa.question.known_companies import known_to
from review.correcting import same_text, seen_by
from review.correction_tables import Correction
from review.item_tables import ReviewItem

# Characters of context on each side; more of them than this in all are not laid out.
AROUND = 900
LONGEST = 9_000
# Spans and relations beside the passage.
MOST_SPANS = 400
MOST_RELATIONS = 40


@dataclass(frozen=True, slots=True)
class Choice:
    """A label that can be given, or a way that a question can go."""

    name: str
    title: str
    colour: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class Pairing:
    """A relation as the rules allow it: from spans of these labels to spans of those."""

    relation: str
    head: list[str]
    tail: list[str]


@dataclass(slots=True)
class Passage:
    """`text` starts at `start` in the document; offsets of spans are into the document."""

    start: int
    text: str
    length: int
    spans: list[dict[str, Any]] = field(default_factory=list)


@dataclass(slots=True)
class Shown:
    """One item as one person sees it; `data` is what the page's script works with.

    `said` is the verdict that stands, of those that this person may know.
    """

    item: ReviewItem
    seen: int
    history: list[Correction]
    said: Correction | None = None
    choices: list[Choice] = field(default_factory=list)
    pairings: list[Pairing] = field(default_factory=list)
    passage: Passage | None = None
    relations: list[Any] = field(default_factory=list)
    alike: int = 0
    blind: bool = False
    page: int | None = None
    first_page: bool = False

    @property
    def title(self) -> str:
        """What people call what is proposed."""
        if self.item.kind == ReviewItem.Kind.TOPIC:
            return str(self.item.proposal["name"])
        titles = {choice.name: choice.title for choice in self.choices}
        return titles.get(self.item.label, self.item.label)

    @property
    def data(self) -> dict[str, Any]:
        item = self.item
        return {
            "item": item.pk,
            "kind": item.kind,
            "document": item.document_id,
            "seen": self.seen,
            "proposal": item.proposal,
            "current": self.said.after if self.said else item.proposal,
            "choices": [asdict(one) for one in self.choices],
            "pairings": [asdict(one) for one in self.pairings],
            "passage": asdict(self.passage) if self.passage else None,
            "alike": self.alike,
            # Of what is no span: where the words in question stand.
            "place": {"start": item.start, "end": item.end, "label": ""} if item.end else None,
        }


def show(item: ReviewItem, user: User) -> Shown:
    """The item for this person, who may see it. One who is asked blind sees nobody's verdict."""
    history = list(seen_by(item, user)[:20])
    found = Shown(item, history[0].pk if history else 0, history)
    found.blind = item.wanted > 1 and item.state == ReviewItem.State.OPEN
    standing = Correction.objects.standing() if found.blind else Correction.objects.final()
    mine = {"who_id": user.pk} if found.blind else {}
    found.said = standing.filter(item=item, **mine).first()
    found.alike = same_text(item, user).count()
    if item.kind == ReviewItem.Kind.ROUTER:
        found.choices = [Choice(name, name.capitalize()) for name in TIERS]
    if item.kind == ReviewItem.Kind.ENTITY:
        found.choices = _companies(item, user)
    if item.document is not None and item.schema is None and item.end:
        found.passage = _cut(item.document, item.start or 0, item.end)
        if item.document.is_pdf and item.document.pages:
            found.page = item.document.page_of(item.start or 0)
    if item.document is not None and item.schema is not None:
        _show_passage(found, item.document, item.schema.read())
    return found


def _companies(item: ReviewItem, user: User) -> list[Choice]:
    """Those that were offered, but for the proposed one and those that this person cannot know."""
    known = known_to(item.proposal["offered"], user)
    ids = [pk for pk in item.proposal["offered"] if pk in known]
    return [
        Choice(str(pk), known[pk].name, description=known[pk].ticker)
        for pk in ids
        if pk != item.proposal["company"]
    ]


def _show_passage(found: Shown, document: Document, spec: SchemaSpec) -> None:
    item = found.item
    found.choices = [
        Choice(label.name, label.shown, label.colour, label.description) for label in spec.labels
    ]
    found.pairings = [
        Pairing(rule.relation, list(rule.head), list(rule.tail)) for rule in spec.ordered_rules
    ] or [Pairing(one.name, [], []) for one in spec.relations]
    start, end = _extent(item)
    passage = found.passage = _cut(document, start, end)
    last = passage.start + len(passage.text)
    rows = shown.spans_of(document, item.schema_id or 0)
    inside = rows.filter(start__lt=last, end__gt=passage.start).select_related("run__model_version")
    hidden = _hidden(found)
    passage.spans = [
        _span(row, spec) for row in inside[:MOST_SPANS] if (row.start, row.end, row.label) != hidden
    ]
    ids = [span["id"] for span in passage.spans]
    relations = shown.relations_of(document, item.schema_id or 0)
    found.relations = list(relations.filter(head__in=ids)[:MOST_RELATIONS])
    if document.is_pdf and document.pages:
        found.page = document.page_of(item.start or 0)


def _extent(item: ReviewItem) -> tuple[int, int]:
    """From the first to the last character that the proposal speaks of."""
    proposal = item.proposal
    ends = [proposal["head"], proposal["tail"]] if "relation" in proposal else [proposal]
    known = [one for one in ends if one]
    start, end = min(one["start"] for one in known), max(one["end"] for one in known)
    if end - start > LONGEST - 2 * AROUND:
        return item.start or 0, min(item.end or 0, (item.start or 0) + LONGEST - 2 * AROUND)
    return start, end


def _cut(document: Document, start: int, end: int) -> Passage:
    """The lines around these characters, without reading the whole text."""
    first, wide = max(0, start - AROUND), end + AROUND - max(0, start - AROUND)
    row = Document.objects.filter(pk=document.pk).annotate(
        part=Substr("text", first + 1, wide), length=Length("text")
    )
    text, length = row.values_list("part", "length").get()
    before = text.find("\n", 0, start - first) + 1 if first else 0
    after = text.rfind("\n", end - first) + 1
    if first + len(text) >= length or not after:
        after = len(text)
    return Passage(first + before, text[before:after], length)


def _span(row: ExtractedSpan, spec: SchemaSpec) -> dict[str, Any]:
    person = row.origin == ExtractedSpan.Origin.PERSON
    sure = row.confidence >= deliver_at(spec, row.run.model_version, row.label)
    by = "an expert" if person else str(row.run.model_version)
    said = f"{row.label}, by {by}" if person else f"{row.label}, {row.confidence:.0%}, {by}"
    return {
        "id": row.pk,
        "start": row.start,
        "end": row.end,
        "label": row.label,
        "text": row.text,
        "sure": person or sure,
        "said": said,
    }


def _hidden(found: Shown) -> tuple[int, int, str] | None:
    """What the first of two experts said, while the second is asked."""
    if not found.blind or found.said is not None:
        return None
    first = Correction.objects.final().filter(item=found.item).first()
    after = first.after if first else None
    return (after["start"], after["end"], after["label"]) if after and "start" in after else None
