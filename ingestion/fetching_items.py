"""One listed item fetched and taken in: an article without its page's menus, other files whole."""

from __future__ import annotations

import hashlib
import io
import logging
import mimetypes
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import PurePosixPath
from typing import IO, Any
from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.db.models import F
from django.utils import timezone

from docintel.net import Blocked, Failed, Fetched, TooLarge, TooSlow, fetch
from ingestion.models import Document, Source, SourceItem
from ingestion.polled import MOST_ITEM_ATTEMPTS
from ingestion.receiving import Refused, take_in
from ingestion.sources import Unusable, fetch_headers
from ingestion.sources.page import is_html
from ingestion.sources.reading import article_of

logger = logging.getLogger(__name__)

FIRST_RETRY_SECONDS = 60
RETRY_FACTOR = 5
# No second try changes these.
FOR_GOOD = frozenset({401, 403, 404, 405, 406, 410, 414, 451})
READ_BYTES = 1_048_576


def fetch_item(source: Source, item: SourceItem) -> float:
    """Fetch and take in one item, or note why not; seconds that the whole source asks to rest."""
    if item.attempts >= MOST_ITEM_ATTEMPTS:
        # Its worker was killed each time, or it would have said how it ended.
        _give_up(item, "The worker ended without a word each time it was fetched.")
        return 0.0
    SourceItem.objects.filter(pk=item.pk).update(attempts=F("attempts") + 1)
    item.attempts += 1
    try:
        document = _fetch(source, item)
    except (Blocked, TooLarge, Refused) as error:
        _give_up(item, str(error))
    except Failed as error:
        if error.retry_after:
            _put_off(item, str(error), error.retry_after, count=False)
            return error.retry_after
        if error.status in FOR_GOOD:
            _give_up(item, str(error))
        else:
            _again(item, str(error))
    except (TooSlow, Unusable) as error:
        _again(item, str(error))
    except Exception as error:
        logger.exception("item %s of source %s", item.pk, source)
        _again(item, f"It could not be taken in ({type(error).__name__}).")
    else:
        changes = {"fetched_at": timezone.now(), "document": document, "attempts": 0}
        _write(item, failed_reason="", retry_after=None, **changes)
    return 0.0


def _fetch(source: Source, item: SourceItem) -> Document:
    with fetched_document(source, item.url) as (file, name):
        return take(source, item, file, name, pushed_of(item))


@contextmanager
def fetched_document(source: Source, url: str) -> Iterator[tuple[IO[bytes], str]]:
    """The bytes at an address as a document of this source, and a name, until the block ends."""
    with fetch(
        url,
        headers=fetch_headers(source),
        max_bytes=settings.MAX_FILE_BYTES,
        seconds=settings.FETCH_SECONDS,
    ) as answer:
        yield _as_document(source, answer)


def _as_document(source: Source, answer: Fetched) -> tuple[IO[bytes], str]:
    """The bytes to keep and a name for them: of a feed's web page its article, where it has one."""
    name = _name(answer)
    if source.kind == Source.Kind.RSS and is_html(answer.content_type):
        article = article_of(answer.body, answer.url)["html"]
        if article:
            stem = PurePosixPath(name).stem or "article"
            return io.BytesIO(article.encode("utf-8", "replace")), f"{stem}.html"
    answer.body.seek(0)
    return answer.body, name


def take(
    source: Source, item: SourceItem, file: IO[bytes], file_name: str, pushed: dict[str, Any]
) -> Document:
    """The document of these bytes; the same bytes of the same source are the one already there.

    A source that names everything anew every day brings no row twice that way. Raises Refused.
    """
    digest = hashlib.sha256()
    size = 0
    while block := file.read(READ_BYTES):
        digest.update(block)
        size += len(block)
    file.seek(0)
    if not size:
        raise Refused("It is empty.")
    same = Document.objects.listed().filter(
        source=source, file_sha256=digest.hexdigest(), dropped_at__isnull=True
    )
    found = same.order_by("pk").first()
    if found is not None:
        return found
    return take_in(source, file_name, file, external_id=item.external_id, pushed=pushed).document


def pushed_of(item: SourceItem) -> dict[str, Any]:
    """What the source says of its item; it is believed before the file is."""
    said = {"title": item.title, "published_on": item.published_on, **item.pushed}
    return {name: value for name, value in said.items() if value}


def _name(answer: Fetched) -> str:
    """The server's name for it, or the last part of the address, with an ending that fits."""
    name = answer.file_name or unquote(PurePosixPath(urlsplit(answer.url).path).name)
    if not PurePosixPath(name).suffix:
        media_type = answer.content_type.split(";")[0].strip().lower()
        name = f"{name or 'document'}{mimetypes.guess_extension(media_type) or ''}"
    return name


def _again(item: SourceItem, reason: str) -> None:
    if item.attempts >= MOST_ITEM_ATTEMPTS:
        _give_up(item, reason)
    else:
        _put_off(item, reason, FIRST_RETRY_SECONDS * RETRY_FACTOR ** (item.attempts - 1))


def _put_off(item: SourceItem, reason: str, seconds: float, *, count: bool = True) -> None:
    later = timezone.now() + min(timedelta(seconds=seconds), timedelta(days=1))
    attempts = item.attempts if count else item.attempts - 1
    _write(item, failed_reason=reason, retry_after=later, attempts=attempts)


def _give_up(item: SourceItem, reason: str) -> None:
    logger.warning("item %s is given up: %s", item.pk, reason)
    _write(item, failed_reason=reason, gave_up_at=timezone.now(), retry_after=None)


def _write(item: SourceItem, **changes: Any) -> None:
    SourceItem.objects.filter(pk=item.pk).update(**changes)
    for name, value in changes.items():
        setattr(item, name, value)
