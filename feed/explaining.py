"""Why a document is on somebody's feed, in words, each tied to what shows it.

The words come from the ranker's own contributions (`Ranker.contributions`, by the version that
ranked the card), and only from what is true of this analyst: no contribution, no words.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import Any

import numpy as np
from django.db.models import Min, Q
from django.utils import timezone

from feed import live_ranker
from feed.facts import floats
from feed.live_ranker import CannotUse, Formula
from feed.ml.facts import Floats
from feed.ml.features import NAMES
from feed.models import Engagement, FeedEvent, FeedItem, Follow, Interest, RankedDocument
from feed.reading import Slot
from ingestion.models import Chunk, Company, Document, Mention, Topic
from ingestion.querysets import User

MOST_REASONS = 2
LONGEST_PASSAGE = 260
RECENT_READING = 60
# Documents of one source, among these, that make a habit.
OFTEN = 3
WEEK, MONTH = timedelta(days=7), timedelta(days=30)
# Which of the ranker's features speak of the same thing.
GROUPS = {
    "followed company": ("followed_share", "followed_main"),
    "asked company": ("asked_share",),
    "read company": ("read_company",),
    "followed topic": ("followed_topic",),
    "asked topic": ("asked_topic",),
    "read topic": ("topic_match",),
    "kind": ("kind_share",),
    "followed kind": ("followed_kind",),
    "source": ("source_rate",),
    "followed source": ("followed_source",),
    "close": ("profile_cosine",),
    "interest": ("interest_cosine",),
    "phrase": ("phrase",),
    "firm": ("firm_topic",),
}
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z“\"(])|\n+")


@dataclass(frozen=True, slots=True)
class Reason:
    """`kind` and `value` name what may be followed or muted for it; empty: nothing."""

    text: str
    kind: str = ""
    value: str = ""


@dataclass(frozen=True, slots=True)
class Thing:
    """Something of the card that may be followed or muted; `stance` is "follow", "mute" or ""."""

    kind: str
    value: str
    label: str
    stance: str = ""


@dataclass(slots=True)
class Card:
    """A slot with what is said of it; `passage` is of the document's text, `bold` within it."""

    slot: Slot
    reasons: list[Reason] = field(default_factory=list)
    companies: list[Thing] = field(default_factory=list)
    things: list[Thing] = field(default_factory=list)
    passage: str = ""
    bold: str = ""


def cards(slots: Sequence[Slot], user: User) -> list[Card]:
    """The cards of a page, in its order; about ten queries however many there are."""
    told = _Told(slots, user)
    return [told.card(slot) for slot in slots]


class _Told:
    """What the reasons of one page are made from, read once."""

    def __init__(self, slots: Sequence[Slot], user: User) -> None:
        ids = [slot.item.document_id for slot in slots]
        known = RankedDocument.objects.filter(pk__in=ids).values_list("pk", "facts")
        self.facts: dict[int, Any] = dict(known)
        wanted = {pk for facts in self.facts.values() for pk in facts["companies"]}
        self.names = dict(Company.objects.filter(pk__in=wanted).values_list("pk", "name"))
        self.topics = dict(Topic.objects.filter(active=True).values_list("key", "name"))
        self.follows = {
            (row.kind, row.value): row for row in Follow.objects.filter(user=user.pk)
        }  # `value` reads no other table
        self.interests = list(Interest.objects.filter(user=user.pk, vector__isnull=False))
        self.contributions = _contributions(slots)
        self._read(user)
        self.mentions = _first_mentions(ids, self._followed_companies())
        self.passages = _passages(slots, self.mentions)

    def _read(self, user: User) -> None:
        """What this person read of late: counts by topic this week, by company this month."""
        now = timezone.now()
        rows = Engagement.objects.filter(user=user.pk, opened_at__gte=now - MONTH)
        visible = Document.objects.visible_to(user).order_by()
        opened = dict(
            rows.filter(document__in=visible)
            .order_by("-opened_at")
            .values_list("document", "opened_at")[:RECENT_READING]
        )
        rows_read = RankedDocument.objects.filter(pk__in=opened).select_related("document")
        # Only what is said of them: their texts are some ten million characters.
        names = ("facts", "document__title", "document__file_name")
        self.read = list(rows_read.only(*names))
        self.by_topic: Counter[str] = Counter()
        self.by_company: Counter[int] = Counter()
        for row in self.read:
            self.by_company.update(row.facts["companies"])
            if (opened[row.pk] or now) >= now - WEEK:
                about = row.facts["topics"].items()
                self.by_topic.update(key for key, probability in about if probability >= 0.5)

    @cached_property
    def vectors(self) -> dict[int, tuple[int | None, Floats]]:
        """Document -> (embedder, vector), of those shown and of those read; few pages need them."""
        ids = {*self.facts, *(row.pk for row in self.read)}
        rows = RankedDocument.objects.filter(pk__in=ids, vector__isnull=False)
        found = rows.values_list("pk", "embedder", "vector")
        return {pk: (embedder, floats(vector)) for pk, embedder, vector in found}

    def _followed_companies(self) -> set[int]:
        return {
            int(row.company_id)
            for (kind, _), row in self.follows.items()
            if kind == Follow.Kind.COMPANY and not row.muted and row.company_id
        }

    def card(self, slot: Slot) -> Card:
        pk = slot.item.document_id
        made = Card(slot)
        facts = self.facts.get(pk)
        made.passage, made.bold = self.passages.get(pk, ("", ""))
        if facts is None:
            return made
        made.reasons = self._reasons(slot, facts)
        main = [facts["main"]] if facts["main"] else []
        named = [*main, *(pk for pk in facts["companies"] if pk not in main)]
        made.companies = [
            self._thing("company", str(pk), self.names[pk]) for pk in named if pk in self.names
        ][:4]
        about = sorted(facts["topics"].items(), key=lambda pair: -pair[1])
        made.things = [
            self._thing("topic", key, self.topics[key])
            for key, probability in about[:3]
            if probability >= 0.5 and key in self.topics
        ]
        document = slot.document
        made.things.append(self._thing("source", str(document.source_id), document.source.name))
        made.things.append(self._thing("document_kind", document.kind, document.get_kind_display()))
        return made

    def _thing(self, kind: str, value: str, label: str) -> Thing:
        row = self.follows.get((kind, value))
        return Thing(kind, value, label, "" if row is None else "mute" if row.muted else "follow")

    def _reasons(self, slot: Slot, facts: dict[str, Any]) -> list[Reason]:
        if slot.exploring:
            said = "Exploring: outside your usual reading, to learn whether it is worth your time"
            return [Reason(said)]
        parts = self.contributions.get(slot.item.pk, {})
        found = []
        for group, weight in sorted(parts.items(), key=lambda pair: -pair[1]):
            reason = self._say(group, slot, facts) if weight > 0 else None
            if reason is not None:
                found.append(reason)
            if len(found) == MOST_REASONS:
                break
        said = "New; not close to what you follow or read"
        return found or [Reason(said if self.follows or self.read else "New")]

    def _say(self, group: str, slot: Slot, facts: dict[str, Any]) -> Reason | None:
        """None where nothing of it is true of this analyst."""
        if group.endswith("company"):
            return self._say_company(group, facts)
        if group.endswith("topic") or group == "firm":
            return self._say_topic(group, facts)
        if group.endswith("source"):
            return self._say_source(slot, facts)
        if group.endswith("kind"):
            return self._say_kind(slot.document)
        if group == "phrase":
            return self._say_phrase(facts)
        return self._say_close(slot) if group == "close" else self._say_interest(slot)

    def _say_topic(self, group: str, facts: dict[str, Any]) -> Reason | None:
        about = [key for key, p in facts["topics"].items() if p >= 0.5 and key in self.topics]
        if group == "followed topic":
            key = next((k for k in about if self._stance("topic", k) == "follow"), "")
            return Reason(f"You follow {self.topics[key]}", "topic", key) if key else None
        if group == "read topic":
            read = [(self.by_topic[key], key) for key in about if self.by_topic[key]]
            return self._counted(*max(read)) if read else None
        said = "Colleagues read much about this" if group == "firm" else "You asked about this"
        return Reason(said, "topic", about[0]) if about else None

    def _say_source(self, slot: Slot, facts: dict[str, Any]) -> Reason | None:
        source = slot.document.source
        said = ""
        if self._stance("source", str(source.pk)) == "follow":
            said = f"You follow {source}"
        elif self._opens_from(facts["source"]) >= OFTEN:
            said = f"You often open what {source} brings"
        return Reason(said, "source", str(source.pk)) if said else None

    def _say_phrase(self, facts: dict[str, Any]) -> Reason | None:
        followed = [
            row.phrase
            for (kind, _), row in self.follows.items()
            if kind == "phrase" and not row.muted
        ]
        said = next((phrase for phrase in followed if phrase in facts["opening"]), "")
        return Reason(f"It says “{said}”", "phrase", said) if said else None

    def _say_company(self, group: str, facts: dict[str, Any]) -> Reason | None:
        named = [pk for pk in (facts["main"], *facts["companies"]) if pk in self.names]
        if group == "followed company":
            follows = self._followed_companies()
            pk = next((pk for pk in named if pk in follows), 0)
            return Reason(f"You follow {self.names[pk]}", "company", str(pk)) if pk else None
        if group == "read company":
            pk = max(named, key=lambda each: self.by_company[each], default=0)
            count = self.by_company[pk]
            said = f"You read {_documents(count)} on {self.names.get(pk)} this month"
            return Reason(said, "company", str(pk)) if count else None
        pk = named[0] if named else 0
        return Reason(f"You asked about {self.names[pk]}", "company", str(pk)) if pk else None

    def _say_kind(self, document: Any) -> Reason:
        label = document.get_kind_display().lower()
        follows = self._stance("document_kind", document.kind) == "follow"
        said = f"You follow this type: {label}" if follows else f"You often read this type: {label}"
        return Reason(said, "document_kind", document.kind)

    def _say_close(self, slot: Slot) -> Reason | None:
        """Names the document that was read and is nearest to it."""
        pk = slot.item.document_id
        if pk not in self.vectors:
            return None
        embedder, own = self.vectors[pk]
        known = {row.pk: self.vectors.get(row.pk, (None, own)) for row in self.read}
        rows = [row for row in self.read if row.pk != pk and known[row.pk][0] == embedder]
        if not rows:
            return Reason("Close to the documents about what you follow")
        near = np.array([known[row.pk][1] for row in rows]) @ own
        title = str(rows[int(near.argmax())].document)[:80]
        return Reason(f"Close to “{title}”, which you read")

    def _say_interest(self, slot: Slot) -> Reason | None:
        if slot.item.document_id not in self.vectors or not self.interests:
            return None
        _, vector = self.vectors[slot.item.document_id]
        stated = np.array([floats(row.vector) for row in self.interests]) @ vector
        return Reason(f"Close to your interest “{self.interests[int(stated.argmax())]}”")

    def _stance(self, kind: str, value: str) -> str:
        row = self.follows.get((kind, value))
        return "" if row is None else "mute" if row.muted else "follow"

    def _opens_from(self, source: int) -> int:
        return sum(row.facts["source"] == source for row in self.read)

    def _counted(self, count: int, key: str) -> Reason:
        return Reason(f"You read {_documents(count)} on {self.topics[key]} this week", "topic", key)


@dataclass(frozen=True, slots=True)
class Part:
    """One feature of what was shown: its value, None where unknown, and what it added."""

    name: str
    value: float | None
    added: float


def why(event: FeedEvent) -> list[Part]:
    """What an impression was ranked by, the strongest first, by the version that ranked it."""
    found = contributions_of([event])
    if event.features is None or event.pk not in found:
        return []
    parts = [Part(*each) for each in zip(NAMES, event.features, found[event.pk], strict=True)]
    return sorted(parts, key=lambda part: -abs(part.added))


def contributions_of(ranked: Iterable[FeedItem | FeedEvent]) -> dict[int, Floats]:
    """Row's id -> what each of NAMES added, by the version that ranked it.

    Where that version cannot be used any more, by the formula.
    """
    by_version: defaultdict[Any, list[Any]] = defaultdict(list)
    for item in ranked:
        if item.pk and len(item.features or []) == len(NAMES):
            by_version[item.version].append(item)
    found: dict[int, Floats] = {}
    for version, items in by_version.items():
        try:
            ranker = live_ranker.use(version) if version else Formula()
        except CannotUse:
            ranker = Formula()
        rows = np.array([item.features for item in items], dtype=np.float64)
        found |= dict(zip((i.pk for i in items), ranker.contributions(rows), strict=True))
    return found


def _contributions(slots: Sequence[Slot]) -> dict[int, dict[str, float]]:
    """FeedItem's id -> group -> what it added, of features that are there at all."""
    made = {}
    for pk, row in contributions_of([slot.item for slot in slots]).items():
        values = dict(zip(NAMES, row, strict=True))
        made[pk] = {group: sum(values[n] for n in names) for group, names in GROUPS.items()}
    for slot in slots:
        present = dict(zip(NAMES, slot.item.features or [], strict=False))
        for group, names in GROUPS.items():
            if slot.item.pk in made and not any(present.get(name) for name in names):
                made[slot.item.pk][group] = 0.0
    return made


def _first_mentions(ids: list[int], companies: set[int]) -> dict[int, int]:
    """Document -> where it first names a company that is followed."""
    rows = Mention.objects.filter(document__in=ids, company__in=companies).order_by()
    return dict(rows.values_list("document").annotate(first=Min("start")))


def _passages(slots: Sequence[Slot], mentions: dict[int, int]) -> dict[int, tuple[str, str]]:
    """Document -> (the sentence that names a followed company, that name), else how it begins."""
    wanted = Q(pk__in=[])
    for slot in slots:
        pk = slot.item.document_id
        at = mentions.get(pk)
        place = Q(ordinal=0) if at is None else Q(start__lte=at, end__gt=at)
        wanted |= Q(document=pk) & place
    found: dict[int, tuple[str, str]] = {}
    for chunk in Chunk.objects.filter(wanted).only(
        "document_id", "start", "body", "header_length"
    ).order_by("document", "start"):  # fmt: skip
        at = mentions.get(chunk.document_id)
        offset = 0 if at is None else at - chunk.start
        found.setdefault(chunk.document_id, (_sentence(chunk.text, offset), ""))
    return found


def opening_of(document: int) -> str:
    """How its text begins, cut to what fits on two lines."""
    first = Chunk.objects.filter(document=document, ordinal=0).only("body", "header_length").first()
    return _sentence(first.text, 0) if first else ""


def _sentence(text: str, offset: int) -> str:
    """The sentence around the offset, cut to what fits on two lines."""
    start = 0
    for match in _SENTENCE.finditer(text):
        if match.start() >= offset + 1:
            break
        start = match.end()
    words = " ".join(text[start : start + 3 * LONGEST_PASSAGE].split())
    if len(words) <= LONGEST_PASSAGE:
        return words
    return words[:LONGEST_PASSAGE].rsplit(" ", 1)[0] + " …"


def _documents(count: int) -> str:
    return f"{count} document{'' if count == 1 else 's'}"
