"""One web page that changes: its article as it is now, or the page itself where it has none."""

from __future__ import annotations

import hashlib

from django.conf import settings

from docintel.net import fetch
from ingestion.models import Source
from ingestion.sources.items import Item, Known, Listing, day_of
from ingestion.sources.reading import article_of

HTML_TYPES = ("text/html", "application/xhtml+xml")


def is_html(content_type: str) -> bool:
    """Whether a server says so."""
    return content_type.split(";", maxsplit=1)[0].strip().lower() in HTML_TYPES


def list_new(source: Source, known: Known) -> Listing:
    """The page, if its article is not the one of last time."""
    with fetch(
        source.location,
        etag=source.etag,
        last_modified=source.last_modified,
        max_bytes=settings.MAX_FILE_BYTES,
        seconds=settings.FETCH_SECONDS,
    ) as answer:
        if answer.status == 304:
            return Listing(unchanged=True)
        found = {"html": "", "title": "", "published_on": ""}
        if is_html(answer.content_type):
            found = article_of(answer.body, answer.url)
        content = found["html"].encode() or answer.read()
        item = Item(
            external_id=source.location[:500],
            content=content,
            file_name=answer.file_name or ("page.html" if found["html"] else ""),
            title=found["title"],
            published_on=day_of(found["published_on"]),
            version=hashlib.sha256(content).hexdigest(),
        )
        items = [] if known(item.external_id, item.version) else [item]
        return Listing(items=items, etag=answer.etag, last_modified=answer.last_modified)
