"""Why a document is on somebody's feed, in words, each tied to what shows it.

The words come from the ranker's own contributions (`Ranker.contributions`, by the version that
ranked the card), and only from what is true of this analyst: no contribution, no words.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from itertools import islice
from typing import Any

from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.utils import timezone
from pgvector.django import MaxInnerProduct

from docintel.compiled_queries import CompiledQuery, Given
from feed import known
from feed.card_fronts import Front, front_of
from feed.contributing import strongest
from feed.ml.muting import SHOWN
from feed.models import Engagement, FeedProfile, Follow, Interest, RankedDocument
from feed.quoting import first_mentions, sentences_at
from feed.reading import Slot
from ingestion.models import Company, Document, Source
from ingestion.querysets import User
from ingestion.seeing import SOMEBODY

MOST_REASONS = 2
RECENT_READING = 60
# Documents of one source or type, among these, that make a habit.
OFTEN = 3
NEARNESS = MaxInnerProduct("vector", OuterRef("vector"))
WEEK, MONTH = timedelta(days=7), timedelta(days=30)
CLOSE, INTEREST = "close", "interest"  # Of the groups of `contributing`.


def _opened() -> QuerySet[Engagement, Any]:
    """Only what is said of them: their texts are some ten million characters."""
    rows = Engagement.objects.filter(
        user=Given("person"), opened_at__gte=Given("since"),
        document__in=Document.objects.visible_to(SOMEBODY).order_by(),
    ).order_by("-opened_at")  # fmt: skip
    of_document = ("ranked__facts", "title", "file_name")
    columns = ("document", "opened_at", *(f"document__{name}" for name in of_document))
    return rows.values_list(*columns)[:RECENT_READING]


def _nearest(rows: QuerySet[Any], column: str) -> QuerySet[RankedDocument, Any]:
    """In the database: a vector takes longer to read from there than to compare."""
    near = rows.filter(embedder=OuterRef("embedder"), vector__isnull=False)
    near = near.alias(distance=NEARNESS).order_by("distance")
    ranked = RankedDocument.objects.filter(pk__any_of=Given("ids"), vector__isnull=False)
    return ranked.values_list("pk", Subquery(near.values(column)[:1]))


_FACTS = CompiledQuery(
    lambda: RankedDocument.objects.filter(pk__any_of=Given("ids")).values_list("pk", "facts")
)
_NAMES = CompiledQuery(
    lambda: (
        Company.objects.filter(pk__any_of=Given("companies")).order_by().values_list("pk", "name")
    )
)
_OPENED = CompiledQuery(_opened)
_NEAREST = CompiledQuery(
    lambda: _nearest(
        RankedDocument.objects.filter(pk__any_of=Given("read")).exclude(pk=OuterRef("pk")), "pk"
    )
)
_NEAREST_INTEREST = CompiledQuery(
    lambda: _nearest(Interest.objects.filter(user=Given("person")), "text")
)
_ASKED = CompiledQuery(
    lambda: FeedProfile.objects.filter(user=Given("person")).values_list(
        "facts__asked_companies", "facts__asked_topics"
    )
)
_STANCES = CompiledQuery(
    lambda: (
        Follow.objects.filter(
            Q(company__any_of=Given("companies")) | Q(company=None), user=Given("person")
        )
        .order_by()
        .values_list("kind", "company", "topic", "source", "document_kind", "phrase", "muted")
    )
)


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
    """A slot with what is said of it; the passage is of the document's text."""

    slot: Slot
    front: Front
    reasons: list[Reason] = field(default_factory=list)
    companies: list[Thing] = field(default_factory=list)
    things: list[Thing] = field(default_factory=list)

    @property
    def passage(self) -> str:
        return self.front.passage


def cards(slots: Sequence[Slot], user: User) -> list[Card]:
    """The cards of a page, in its order; about ten queries however many there are."""
    told = _Told(slots, user)
    return [told.card(slot) for slot in slots]


def passage_of(document: int) -> str:
    """The two lines of one document that a card would quote, whoever reads it."""
    facts = RankedDocument.objects.filter(pk=document).values_list("facts", flat=True).first()
    leads = {document: (facts or {}).get("lead", 0)}
    return sentences_at(leads, leads).get(document, "")


class _Told:
    """What the reasons of one page are made from, read once, and only what the page needs."""

    def __init__(self, slots: Sequence[Slot], user: User) -> None:
        self.user = user
        ids = [slot.item.document_id for slot in slots]
        self.facts: dict[int, Any] = dict(_FACTS(ids=ids))
        wanted = {pk for facts in self.facts.values() for pk in facts["companies"]}
        self.names: dict[int, str] = dict(_NAMES(companies=wanted)) if wanted else {}
        self.topics = known.topic_names()
        self.stances = _stances(user, wanted)
        items = {slot.item.pk: slot.item for slot in slots}
        self.groups = strongest(items.values())
        # Of these alone the database is asked what is near.
        self.near = {
            group: [items[pk].document_id for pk, told in self.groups.items() if group in told]
            for group in (CLOSE, INTEREST)
        }
        self._read()
        self.passages = self._passages(ids)

    def _read(self) -> None:
        """What this person read of late: counts by topic this week, by company this month."""
        now = timezone.now()
        self.read: dict[int, Any] = {}
        self.titles: dict[int, str] = {}
        self.by_topic: Counter[str] = Counter()
        self.by_company: Counter[int] = Counter()
        seen = Source.objects.given_for(self.user)
        for pk, opened_at, facts, title, file_name in _OPENED(**seen, since=now - MONTH):
            if facts is None:
                continue
            self.read[pk] = facts
            self.titles[pk] = title or file_name
            self.by_company.update(facts["companies"])
            if (opened_at or now) >= now - WEEK:
                about = facts["topics"].items()
                self.by_topic.update(key for key, probability in about if probability >= SHOWN)

    def _passages(self, ids: list[int]) -> dict[int, str]:
        """Where a document begins to speak, or of another's than a followed company names one.

        A company's own documents name it on every page.
        """
        leads = {pk: self.facts.get(pk, {}).get("lead", 0) for pk in ids}
        followed = self._followed_companies()
        others = {
            pk: lead
            for pk, lead in leads.items()
            if pk in self.facts and self.facts[pk]["main"] not in followed
        }
        named = first_mentions(others, followed) if followed else {}
        return sentences_at(leads | named, leads)

    @cached_property
    def nearest(self) -> dict[int, str]:
        """Document -> the title of the nearest one that was read, where there is one."""
        found = _NEAREST(ids=self.near[CLOSE], read=list(self.read)) if self.read else []
        return {pk: self.titles[near][:80] for pk, near in found if near is not None}

    @cached_property
    def nearest_interest(self) -> dict[int, str]:
        """Document -> the stated interest that is nearest to it."""
        found = _NEAREST_INTEREST(ids=self.near[INTEREST], person=self.user.pk)
        return {pk: text[:80] for pk, text in found if text}

    def _followed_companies(self) -> set[int]:
        return {
            int(value)
            for (kind, value), stance in self.stances.items()
            if kind == Follow.Kind.COMPANY and stance == "follow"
        }

    @cached_property
    def asked(self) -> set[str]:
        """The companies, by their ids as text, and the topics that this analyst asked about."""
        return {key for row in _ASKED(person=self.user.pk) for kept in row for key in kept or ()}

    def card(self, slot: Slot) -> Card:
        pk = slot.item.document_id
        made = Card(slot, front_of(slot, self.passages.get(pk, "")))
        facts = self.facts.get(pk)
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
            if probability >= SHOWN and key in self.topics
        ]
        document = slot.document
        made.things.append(self._thing("source", str(document.source_id), document.source.name))
        made.things.append(self._thing("document_kind", document.kind, document.get_kind_display()))
        return made

    def _thing(self, kind: str, value: str, label: str) -> Thing:
        return Thing(kind, value, label, self.stances.get((kind, value), ""))

    def _reasons(self, slot: Slot, facts: dict[str, Any]) -> list[Reason]:
        if slot.exploring:
            said = "Exploring: outside your usual reading, to learn whether it is worth your time"
            return [Reason(said)]
        told = (self._say(group, slot, facts) for group in self.groups.get(slot.item.pk, ()))
        found = list(islice((reason for reason in told if reason is not None), MOST_REASONS))
        return found or [Reason(self._without_reason)]

    @cached_property
    def _without_reason(self) -> str:
        told = self.read or self._follows
        return "New; not close to what you follow or read" if told else "New"

    @cached_property
    def _follows(self) -> bool:
        return Follow.objects.filter(user=self.user.pk, muted=False).exists()

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
        return self._say_close(slot) if group == CLOSE else self._say_interest(slot)

    def _say_topic(self, group: str, facts: dict[str, Any]) -> Reason | None:
        about = [key for key, p in facts["topics"].items() if p >= SHOWN and key in self.topics]
        if group == "followed topic":
            key = next((k for k in about if self.stances.get(("topic", k)) == "follow"), "")
            return Reason(f"You follow {self.topics[key]}", "topic", key) if key else None
        if group == "read topic":
            read = [(self.by_topic[key], key) for key in about if self.by_topic[key]]
            return self._counted(*max(read)) if read else None
        if group == "asked topic":
            key = next((k for k in about if k in self.asked), "")
            return Reason(f"You asked about {self.topics[key]}", "topic", key) if key else None
        return Reason("Colleagues read much about this", "topic", about[0]) if about else None

    def _say_source(self, slot: Slot, facts: dict[str, Any]) -> Reason | None:
        source = slot.document.source
        said = ""
        if self.stances.get(("source", str(source.pk))) == "follow":
            said = f"You follow {source}"
        elif self._opens_of("source", facts["source"]) >= OFTEN:
            said = f"You often open what {source} brings"
        return Reason(said, "source", str(source.pk)) if said else None

    def _say_phrase(self, facts: dict[str, Any]) -> Reason | None:
        followed = [
            value
            for (kind, value), stance in self.stances.items()
            if kind == Follow.Kind.PHRASE and stance == "follow"
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
        pk = next((pk for pk in named if str(pk) in self.asked), 0)
        return Reason(f"You asked about {self.names[pk]}", "company", str(pk)) if pk else None

    def _say_kind(self, document: Any) -> Reason | None:
        label = document.get_kind_display().lower()
        said = ""
        if self.stances.get(("document_kind", document.kind)) == "follow":
            said = f"You follow this type: {label}"
        elif self._opens_of("kind", document.kind) >= OFTEN:
            said = f"You often read this type: {label}"
        return Reason(said, "document_kind", document.kind) if said else None

    def _say_close(self, slot: Slot) -> Reason | None:
        """Names the document that was read and is nearest to it."""
        title = self.nearest.get(slot.item.document_id)
        if title is not None:
            return Reason(f"Close to “{title}”, which you read")
        return Reason("Close to the documents about what you follow") if self._follows else None

    def _say_interest(self, slot: Slot) -> Reason | None:
        text = self.nearest_interest.get(slot.item.document_id)
        return Reason(f"Close to your interest “{text}”") if text else None

    def _opens_of(self, name: str, value: object) -> int:
        """Of what was read of late, how many documents have this value of that fact."""
        return sum(facts[name] == value for facts in self.read.values())

    def _counted(self, count: int, key: str) -> Reason:
        return Reason(f"You read {_documents(count)} on {self.topics[key]} this week", "topic", key)


def _documents(count: int) -> str:
    return f"{count} document{'' if count == 1 else 's'}"


def _stances(user: User, companies: Iterable[int]) -> dict[tuple[str, str], str]:
    """(kind, value) -> "follow" or "mute"; of companies these alone, as there may be thousands."""
    found = {}
    for row in _STANCES(person=user.pk, companies=set(companies)):
        kind, company, topic, source, document_kind, phrase, muted = row
        value = str(company or topic or source or document_kind or phrase)
        found[kind, value] = "mute" if muted else "follow"
    return found
