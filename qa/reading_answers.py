"""A stored answer as one person may read it: sentences, numbered citations, sources, passages.

The trap: what this person may not see is left out of it, and an answer of somebody else that cites
a document which this person may not see is `NoAnswer`, exactly like one that does not exist.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import F
from django.db.models.functions import Substr

from ingestion.language import search_config
from ingestion.models import Document
from ingestion.querysets import User
from ingestion.sightings import standing_for
from qa.answer_tables import AnswerSentence, Ask, Citation, ShownPassage
from qa.knowing import Found
from qa.passages import Passage, with_excerpts

# A table says a sentence or two per row; more reads better under headings.
MOST_PER_ROW = 2
# A figure to compare: money, a share, a scaled or a long number; a year alone is none.
FIGURE = re.compile(
    r"[$€£¥]\s?\d|\d\s?(?:%|percent|per cent|basis points|bps|thousand|million|billion|trillion)"
    r"|\d,\d{3}|\d\.\d"
)


class NoAnswer(LookupError):
    """There is no such answer for this person."""


@dataclass(frozen=True, slots=True)
class Cite:
    """One citation of one sentence; `number` is its passage's, `url` opens it highlighted."""

    number: int
    document: UUID
    title: str
    company: str
    kind: str
    period: str
    published_on: date | None
    page: int
    is_paged: bool
    start: int
    end: int
    quote: str
    url: str


@dataclass(slots=True)
class CitedSource:
    """A cited passage with its different quotes, as the panel lists it."""

    number: int
    first: Cite
    quotes: list[Cite]


@dataclass(frozen=True, slots=True)
class ShownSentence:
    ordinal: int
    text: str
    citations: tuple[Cite, ...]


@dataclass(slots=True)
class Group:
    """Sentences under one heading, which is empty where the answer has none."""

    label: str
    sentences: list[ShownSentence] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Known:
    """A document as its reader knows it: `arrival` is shown and linked, `body` has its pages."""

    arrival: Document
    body: Document


@dataclass(slots=True)
class ReadAnswer:
    """`own` says whether the reader asked it; `withheld` counts sentences left out for them.

    `listed` are passages shown without being cited: of a lookup, or near to what was not found.
    """

    ask: Ask
    own: bool
    groups: list[Group] = field(default_factory=list)
    sources: list[CitedSource] = field(default_factory=list)
    listed: list[Found] = field(default_factory=list)
    withheld: int = 0

    @property
    def sentences(self) -> list[ShownSentence]:
        return [sentence for group in self.groups for sentence in group.sentences]

    @property
    def notices(self) -> list[str]:
        """What the reader should know of it; others than the asker are not told of the index."""
        kept = self.ask
        said = [kept.notice]
        if self.own:
            said = [*_texts(kept.understood, "notes"), *_texts(kept.receipt, "notes"), *said]
        return list(dict.fromkeys(filter(None, said)))

    @property
    def is_table(self) -> bool:
        """Whether it reads better as a table: several groups, short, and figures to compare."""
        return (
            len(self.groups) > 1
            and all(group.label for group in self.groups)
            and all(len(group.sentences) <= MOST_PER_ROW for group in self.groups)
            and all(any(FIGURE.search(s.text) for s in group.sentences) for group in self.groups)
        )


def _texts(kept: dict[str, object], name: str) -> list[str]:
    found = kept.get(name)
    return [str(each) for each in found] if isinstance(found, list) else []


def read(public_id: UUID, user: User) -> ReadAnswer:
    """The answer, or NoAnswer. Others than the asker read only answers with citations."""
    ask = Ask.objects.select_related("cached_from").filter(public_id=public_id).first()
    if ask is None:
        raise NoAnswer
    own = ask.asker_id is not None and ask.asker_id == user.pk
    rows = list(
        AnswerSentence.objects.filter(ask=ask, state=AnswerSentence.State.KEPT).prefetch_related(
            "citations"
        )
    )
    cited = {citation.document_id for row in rows for citation in row.citations.all()}
    known = documents_of(cited, user)
    if not own and (not cited or cited - known.keys()):
        raise NoAnswer
    answer = ReadAnswer(ask, own)
    _take(answer, rows, known)
    if own:
        answer.listed = _listed(ask, user)
    return answer


def documents_of(ids: Iterable[int], user: User) -> dict[int, Known]:
    """Document id -> how this person knows it; hidden ones are missing."""
    wanted = set(ids)
    if not wanted:
        return {}
    visible = Document.objects.visible_to(user).filter(pk__in=wanted)
    bodies = visible.only("pages", "media_type", "language").in_bulk()
    known = standing_for(bodies, user)
    return {pk: Known(arrival, bodies[pk]) for pk, arrival in known.items()}


def _take(answer: ReadAnswer, rows: Sequence[AnswerSentence], known: dict[int, Known]) -> None:
    """Sentences by group in the order of their first one, and the sources by number."""
    groups: dict[str, Group] = {}
    sources: dict[int, CitedSource] = {}
    for row in rows:
        citations = list(row.citations.all())
        if any(citation.document_id not in known for citation in citations):
            answer.withheld += 1
            continue
        cites = tuple(cite(each, known[each.document_id], answer.ask.text) for each in citations)
        shown = ShownSentence(row.ordinal, row.text, cites)
        groups.setdefault(row.group, Group(row.group)).sentences.append(shown)
        for each in cites:
            source = sources.setdefault(each.number, CitedSource(each.number, each, []))
            if all(each.quote != other.quote for other in source.quotes):
                source.quotes.append(each)
    answer.groups = list(groups.values())
    answer.sources = [sources[number] for number in sorted(sources)]


def cite(citation: Citation, known: Known, question: str) -> Cite:
    """What is shown of a citation, as its reader knows the document."""
    arrival = known.arrival
    pairs = {"q": question[:300], "start": citation.start, "end": citation.end}
    return Cite(
        number=citation.number,
        document=arrival.public_id,
        title=str(arrival),
        company=arrival.company.name if arrival.company else "",
        kind=str(arrival.get_kind_display()),
        period=arrival.period,
        published_on=arrival.published_on,
        page=known.body.page_of(citation.start),
        is_paged=known.body.is_pdf,
        start=citation.start,
        end=citation.end,
        quote=citation.quote,
        url=f"{arrival.get_absolute_url()}?{urlencode(pairs)}#passage",
    )


def _listed(ask: Ask, user: User) -> list[Found]:
    """The passages kept beside the answer, by document, best first, with excerpts as in search."""
    length = F("end") - F("start")
    rows = list(ask.passages.annotate(part=Substr("document__text", F("start") + 1, length)))
    known = documents_of({row.document_id for row in rows}, user)
    passages = [
        _passage(row, row.part, known[row.document_id].body)
        for row in rows
        if row.document_id in known
    ]
    by_document: dict[int, list[Passage]] = {}
    for passage in with_excerpts(passages, ask.text, len(passages)):
        by_document.setdefault(passage.document_id, []).append(passage)
    return [Found(known[pk].arrival, found, len(found)) for pk, found in by_document.items()]


def _passage(row: ShownPassage, text: str, body: Document) -> Passage:
    return Passage(
        chunk_id=row.ordinal,
        document_id=row.document_id,
        start=row.start,
        end=row.end,
        page=body.page_of(row.start),
        last_page=body.page_of(max(row.start, row.end - 1)),
        section="",
        text=text,
        score=0.0,
        config=search_config(body.language),
    )
