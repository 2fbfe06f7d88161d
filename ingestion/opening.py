"""What a reader sees when a document opens: which view, which pages or text, which passage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from ingestion.history import History, history
from ingestion.mentioned import Mentioned, mentioned
from ingestion.models import Document
from ingestion.page_images import PAGES_AT_ONCE
from ingestion.querysets import User
from ingestion.reading import Highlight, Window, highlight, offset, window
from ingestion.sightings import sightings

# A longer outline would be a page of its own.
MOST_SECTIONS = 250
WHO_SAID = {
    "push": "said by the sender",
    "file": "found in the file's own details",
    "name": "read from the file's name",
    "page": "read on the first page",
    "edited": "corrected by a person",
    "mention": "mentioned in its title or lead",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the outline."""

    title: str
    level: int
    start: int
    page: int
    here: bool


@dataclass(frozen=True, slots=True)
class Fact:
    """A detail of the document and who said so."""

    label: str
    value: str
    provenance: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A page in the page view; `marked` asks for the passage's rectangles on it."""

    number: int
    marked: bool
    first: bool


@dataclass(slots=True)
class Opened:
    """`arrival` is the row as the person knows it, `body` the one that holds text and pages."""

    arrival: Any
    body: Document
    question: str
    highlight: Highlight | None
    has_images: bool
    view: str
    page: int
    n_pages: int
    pages: list[Shown] = field(default_factory=list)
    previous: int | None = None
    next: int | None = None
    window: Window | None = None
    outline: list[Entry] = field(default_factory=list)
    n_sections: int = 0
    facts: list[Fact] = field(default_factory=list)
    sightings: list[Any] = field(default_factory=list)
    original: Any = None
    history: History = field(default_factory=History)
    mentioned: Mentioned = field(default_factory=Mentioned)

    @property
    def passage_query(self) -> str:
        """The part of the address that keeps question and passage, starting with "&"."""
        parts = [urlencode({"q": self.question})] if self.question else []
        parts += [self.highlight.query] if self.highlight else []
        return "".join(f"&{part}" for part in parts)


def open_document(arrival: Any, user: User, params: Mapping[str, str], body: Document) -> Opened:
    """Everything that the page shows except the text outside of the window."""
    get = params.get
    mark = highlight(get("start", ""), get("end", ""), get("from", ""), get("to", ""))
    n_pages = len(body.pages)
    # Images are of these very bytes, or the offsets would not fit them.
    images = body.is_pdf and n_pages > 0 and body.file_sha256 == arrival.file_sha256
    wanted = offset(get("page", ""))
    at = offset(get("at", ""))
    if wanted is None and (place := mark.focus_start if mark else at) is not None:
        wanted = body.page_of(place)
    page = min(max(wanted or 1, 1), max(n_pages, 1))
    view = "page" if images and get("view", "page") != "text" else "text"
    opened = Opened(
        arrival=arrival,
        body=body,
        question=get("q", "").replace("\0", " ").strip()[:2_000],
        highlight=mark,
        has_images=images,
        view=view,
        page=page,
        n_pages=n_pages,
    )
    opened.history = history(arrival, user)
    if not body.parsed_at:
        return opened
    if view == "page":
        _lay_pages(opened)
    else:
        place = _place(opened, at, asked_page=bool(get("page")))
        opened.window = window(body, place, mark)
    _describe(opened, user)
    return opened


def _place(opened: Opened, at: int | None, *, asked_page: bool) -> int:
    if at is not None:
        return at
    if asked_page and opened.n_pages:
        return opened.body.pages[opened.page - 1]
    return opened.highlight.focus_start if opened.highlight else 0


def _lay_pages(opened: Opened) -> None:
    first = (opened.page - 1) // PAGES_AT_ONCE * PAGES_AT_ONCE + 1
    last = min(first + PAGES_AT_ONCE - 1, opened.n_pages)
    mark = opened.highlight
    marked: set[int] = set()
    focused = 0
    if mark:
        page_of = opened.body.page_of
        marked = set(range(page_of(mark.start), page_of(mark.end - 1) + 1))
        focused = page_of(mark.focus_start)
        # A passage that goes on overleaf is shown whole.
        last = min(max(last, *marked), opened.n_pages, last + PAGES_AT_ONCE)
    opened.pages = [
        Shown(number, number in marked, number == focused) for number in range(first, last + 1)
    ]
    opened.previous = max(1, first - PAGES_AT_ONCE) if first > 1 else None
    opened.next = last + 1 if last < opened.n_pages else None


def _describe(opened: Opened, user: User) -> None:
    sections = opened.body.sections
    opened.n_sections = len(sections)
    here = opened.highlight.focus_start if opened.highlight else -1
    page_of = opened.body.page_of
    for index, section in enumerate(sections[:MOST_SECTIONS]):
        after = sections[index + 1]["start"] if index + 1 < len(sections) else here + 1
        start = section["start"]
        level = min(max(int(section.get("level") or 1), 1), 3)
        entry = Entry(section["title"], level, start, page_of(start), start <= here < after)
        opened.outline.append(entry)
    opened.facts = facts(opened.arrival)
    opened.mentioned = mentioned(opened.body)
    opened.sightings = list(sightings(opened.arrival, user)[:20])
    shown = getattr(opened.arrival, "shown_original", None)
    opened.original = next((row for row in opened.sightings if row.pk == shown), None)


def facts(document: Document) -> list[Fact]:
    """What is known of it, each with who said so."""
    published = document.published_on
    known = [
        ("Company", document.company.name if document.company else "", "company"),
        ("Kind", document.get_kind_display(), "kind"),
        ("Period", document.period, "fiscal_year"),
        ("Published", f"{published:%-d %B %Y}" if published else "", "published_on"),
    ]
    said = document.provenance
    return [Fact(label, value, WHO_SAID.get(said.get(name), "")) for label, value, name in known]
