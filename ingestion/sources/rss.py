"""Feeds (RSS, Atom, CDF): each entry leads to its article or PDF, or brings its text itself."""

from __future__ import annotations

import datetime as dt
import hashlib
import html
from collections.abc import Iterator
from typing import Any
from urllib.parse import urljoin

from django.conf import settings

from docintel.net import fetch
from ingestion.models import Source
from ingestion.parsing.feed import LARGEST_FEED
from ingestion.sources.items import Item, Known, Listing, day_of
from ingestion.sources.reading import read_isolated, text_page

LONGEST_ID = 500


def list_new(source: Source, known: Known) -> Listing:
    """The entries of the feed that are not known, newest of each id."""
    with fetch(
        source.location,
        etag=source.etag,
        last_modified=source.last_modified,
        max_bytes=LARGEST_FEED,
        seconds=settings.FETCH_SECONDS,
    ) as answer:
        if answer.status == 304:
            return Listing(unchanged=True)
        request = {"verb": "feed", "content_type": answer.content_type}
        found = read_isolated(request, answer.body)
        return Listing(
            items=_items(found["entries"], answer.url, known),
            etag=answer.etag,
            last_modified=answer.last_modified,
            notes=list(found["notes"]),
        )


def _items(entries: list[dict[str, Any]], base: str, known: Known) -> Iterator[Item]:
    for entry in entries:
        for item in _of_entry(entry, base):
            if not known(item.external_id, item.version):
                yield item


def _of_entry(entry: dict[str, Any], base: str) -> Iterator[Item]:
    """The article and each PDF of an entry; without a link, its own text."""
    link = _joined(base, entry["url"])
    published = day_of(entry["published"] or entry["updated"])
    identifier = entry["id"] or link or _digest(entry["title"] + entry["html"])
    common = {"title": entry["title"], "published_on": published, "version": entry["updated"]}
    files = [_joined(base, file) for file in entry["files"]]
    for file in files:
        if file != link:
            yield Item(external_id=_short(f"{identifier}#{file}"), url=file, **common)
    if link:
        yield Item(external_id=_short(identifier), url=link, **common)
    elif entry["html"].strip() and not files:
        yield _own_text(_short(identifier), entry, published)


def _joined(base: str, link: str) -> str:
    try:
        return urljoin(base, link) if link else ""
    except ValueError:
        return link  # No address; fetching it says so.


def _own_text(identifier: str, entry: dict[str, Any], published: dt.date | None) -> Item:
    page = text_page(entry["title"], entry["html"])
    return Item(
        external_id=identifier,
        content=page,
        file_name="entry.html",
        title=entry["title"] or html.unescape(entry["html"])[:80],
        published_on=published,
        version=entry["updated"] or _digest(entry["html"]),
    )


def _short(identifier: str) -> str:
    if len(identifier) <= LONGEST_ID:
        return identifier
    return f"{identifier[:400]}#{_digest(identifier)}"


def _digest(words: str) -> str:
    return hashlib.sha256(words.encode("utf-8", "replace")).hexdigest()
