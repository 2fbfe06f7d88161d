"""A new source tried before it is switched on: its first documents as they would be parsed.

Nothing is stored by a trial. Trap: it fetches while its caller waits, up to a minute.
"""

from __future__ import annotations

import datetime as dt
import io
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import IO

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import transaction

from docintel.net import Blocked, Failed, TooLarge, TooSlow
from docintel.scheduling import enqueue
from ingestion import metadata
from ingestion.fetching_items import fetched_document
from ingestion.models import Document, Source
from ingestion.parsing import Unreadable, isolation
from ingestion.parsing.parsed import Parsed, ParserFailed
from ingestion.receiving import display_name
from ingestion.sources import POLLED, Item, Unusable, list_new

SHOWN = 5
MOST_SECONDS = 60.0
EXCERPT = 600
LONGEST_NAME = 110
PROBLEMS = (Unusable, Blocked, Failed, TooLarge, TooSlow)


class Refused(Exception):
    """This cannot become a source; the message says why."""


@dataclass(slots=True)
class Tried:
    """One document as it would be; `reason` says why it would not be one."""

    title: str
    url: str = ""
    published_on: dt.date | None = None
    kind: str = ""
    company: str = ""
    excerpt: str = ""
    characters: int = 0
    pages: int = 0
    sections: int = 0
    reason: str = ""


@dataclass(slots=True)
class Trial:
    """What a source would bring: its kind as found, and at most five documents."""

    kind: str
    location: str
    documents: list[Tried] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def try_out(location: str, kind: str = "", default_kind: str = "") -> Trial:
    """The first documents at a location, parsed; `kind` is found out when it is not given.

    Raises Refused in words when nothing can be listed there.
    """
    location = location.strip()
    refusal = "Paste the address of a feed or a page, a CIK, or a folder of mail."
    for guess in [kind] if kind else _guesses(location):
        try:
            return _tried(Source(kind=guess, location=location, default_kind=default_kind))
        except PROBLEMS as error:
            refusal = str(error)
    raise Refused(refusal)


@transaction.atomic
def switch_on(
    name: str, kind: str, location: str, groups: Iterable[Group] = (), **fields: object
) -> Source:
    """Make the source, seen by these groups (none: everyone), and have it asked soon.

    Refused if it is there already.
    """
    location = location.strip()
    if kind not in POLLED:
        raise Refused("Only feeds, pages, folders of mail and EDGAR are asked regularly.")
    if Source.objects.filter(kind=kind, location=location).exists():
        raise Refused("There is a source at this location already.")
    source = Source.objects.create(
        name=_free(name.strip() or location), kind=kind, location=location, **fields
    )
    # In the transaction that makes it: not for a moment is it open to others.
    source.groups.set(groups)
    enqueue("ingestion.tasks.poll_sources")
    return source


def _guesses(location: str) -> list[str]:
    if location.lower().startswith(("http://", "https://")):
        return [Source.Kind.RSS, Source.Kind.PAGE]
    if location[:1].isdigit() or location.upper().startswith("CIK"):
        return [Source.Kind.EDGAR]
    return [Source.Kind.MAILBOX] if location.startswith(("/", "~")) else []


def _tried(source: Source) -> Trial:
    ends = time.monotonic() + MOST_SECONDS
    listing = list_new(source, lambda *_: False)
    trial = Trial(kind=source.kind, location=source.location)
    for item in islice(listing.items, SHOWN):
        if time.monotonic() > ends:
            trial.notes.append("It is too slow to show all five here.")
            break
        trial.documents.append(_document(source, item))
    trial.notes += listing.notes
    return trial


def _document(source: Source, item: Item) -> Tried:
    tried = Tried(title=item.title, url=item.url, published_on=item.published_on)
    try:
        for name, file in _opened(source, item):
            _describe(tried, source, item, name, _parsed(name, file))
    except (*PROBLEMS, Unreadable, ParserFailed) as error:
        tried.reason = str(error)
    tried.title = tried.title or item.external_id
    return tried


def _opened(source: Source, item: Item) -> Iterator[tuple[str, IO[bytes]]]:
    if item.content is not None:
        yield display_name(item.file_name), io.BytesIO(item.content)
        return
    with fetched_document(source, item.url) as (file, name):
        yield display_name(name), file


def _parsed(name: str, file: IO[bytes]) -> Parsed:
    with tempfile.NamedTemporaryFile(suffix=Path(name).suffix[:8]) as copy:
        shutil.copyfileobj(file, copy)
        copy.flush()
        return isolation.parse(
            Path(copy.name),
            name,
            seconds=int(MOST_SECONDS),
            memory_mb=settings.PARSE_MEMORY_MB,
            max_characters=settings.MAX_TEXT_CHARACTERS,
            ocr_language=settings.OCR_LANGUAGE if settings.OCR else "",
        )


def _describe(tried: Tried, source: Source, item: Item, name: str, parsed: Parsed) -> None:
    said = {"title": item.title, "published_on": item.published_on, **item.pushed}
    pushed = {key: value for key, value in said.items() if value}
    found = metadata.describe(parsed, name, pushed, source.default_kind or Document.Kind.OTHER)
    tried.title, tried.published_on = found.title or tried.title, found.published_on
    tried.kind = Document.Kind(found.kind).label
    tried.company = found.company_name or ""
    tried.excerpt = " ".join(parsed.text[: EXCERPT * 2].split())[:EXCERPT]
    tried.characters, tried.pages = len(parsed.text), len(parsed.pages)
    tried.sections = len(parsed.sections)
    if not parsed.text.strip():
        tried.reason = "The file holds no text."


def _free(name: str) -> str:
    short = display_name(name.replace("/", " "))[:LONGEST_NAME]
    free, number = short, 2
    while Source.objects.filter(name=free).exists():
        free, number = f"{short} ({number})", number + 1
    return free
