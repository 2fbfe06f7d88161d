"""What a source offers, written down: new items to fetch, and texts that came with the list.

Bounded: of a list without end the first part is taken now and the rest at the next polls.
"""

from __future__ import annotations

import io
import time
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from django.utils import timezone

from ingestion.fetching_items import pushed_of, take
from ingestion.models import Source, SourceItem
from ingestion.receiving import Refused
from ingestion.sources import Item, list_new
from ingestion.sources.items import is_future

# New items of one source in one poll, and of one whose items were mostly known texts.
MOST_NEW = 500
MOST_REPEATED = 20
MOST_SECONDS = 60.0
MOST_NOTES = 8
# A feed that dates all its entries anew at every poll does not have them fetched every time.
OFTENEST_AGAIN = timedelta(hours=1)
REPEATS_LOOKED_AT = 50
REPEATS_SHARE = 0.7
_TRACKING = ("utm_", "fbclid", "gclid", "mc_cid", "mc_eid", "sessionid", "phpsessid", "jsessionid")


@dataclass(slots=True)
class Listed:
    """What came of asking a source; `more` says that some items are left for the next time."""

    new: int = 0
    more: bool = False
    unchanged: bool = False
    etag: str = ""
    last_modified: str = ""
    notes: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Tally:
    again: int = 0
    future: list[date] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Row:
    version: str
    fetched_at: datetime | None
    url: str


def record(source: Source) -> Listed:
    """Ask the source and keep what is new; raises what `list_new` raises."""
    rows = _known(source)
    recent = timezone.now() - OFTENEST_AGAIN

    def known(external_id: str, version: str) -> bool:
        row = rows.get(external_id)
        if row is None:
            return False
        return row.version == version or bool(row.fetched_at and row.fetched_at > recent)

    listing = list_new(source, known)
    listed = Listed(
        unchanged=listing.unchanged, etag=listing.etag, last_modified=listing.last_modified
    )
    most = MOST_REPEATED if (repeats := repeats_itself(source)) else MOST_NEW
    tally = _Tally()
    urls = {_canonical(row.url): external_id for external_id, row in rows.items() if row.url}
    ends = time.monotonic() + MOST_SECONDS
    for item in listing.items:
        if listed.new >= most or time.monotonic() > ends:
            listed.more = True
            break
        if known(item.external_id, item.version):
            continue
        # Under a new id, but at the address of one that was here before.
        if item.url and urls.setdefault(_canonical(item.url), item.external_id) != item.external_id:
            tally.again += 1
            continue
        _keep(source, item, tally)
        rows[item.external_id] = _Row(item.version, None, item.url)
        listed.new += 1
    if listed.more:
        # The next answer must not be "unchanged" while some are left.
        listed.etag = listed.last_modified = ""
    notes = [*listing.notes, *_notes(tally, listed, most, repeats)]
    listed.notes = notes[:MOST_NOTES]
    # Such a source is not asked for its rest at once, which would make a flood of it again.
    listed.more = listed.more and not repeats
    return listed


def repeats_itself(source: Source) -> bool:
    """Whether most of what it brought lately were texts that it had brought before."""
    rows = source.items.filter(fetched_at__isnull=False).order_by("-pk")
    latest = list(rows.values_list("document", "document__duplicate_of")[:REPEATS_LOOKED_AT])
    texts = {original or document for document, original in latest}
    enough = len(latest) == REPEATS_LOOKED_AT
    return enough and len(texts) <= (1 - REPEATS_SHARE) * REPEATS_LOOKED_AT


def _known(source: Source) -> dict[str, _Row]:
    rows = source.items.values_list("external_id", "version", "fetched_at", "url")
    return {external_id: _Row(version, at, url) for external_id, version, at, url in rows}


def _keep(source: Source, item: Item, tally: _Tally) -> None:
    day = item.published_on
    if day and is_future(day, timezone.localdate()):
        tally.future.append(day)
        item.published_on = None
    values = {
        "url": item.url.replace("\0", ""),
        "version": item.version[:100],
        "title": item.title.replace("\0", "")[:500],
        "published_on": item.published_on,
        "pushed": item.pushed,
        "fetched_at": None,
        "gave_up_at": None,
        "retry_after": None,
        "attempts": 0,
        "failed_reason": "",
    }
    external_id = item.external_id.replace("\0", "")
    row, _ = SourceItem.objects.update_or_create(
        source=source, external_id=external_id, defaults=values
    )
    if item.content is None:
        return
    try:
        document = take(source, row, io.BytesIO(item.content), item.file_name, pushed_of(row))
    except Refused as error:
        tally.refused.append(f"{item.title or external_id}: {error}")
        row.gave_up_at, row.failed_reason = timezone.now(), str(error)
    else:
        row.fetched_at, row.document = timezone.now(), document
    row.save(update_fields=["gave_up_at", "failed_reason", "fetched_at", "document"])


def _notes(tally: _Tally, listed: Listed, most: int, repeats: bool) -> list[str]:
    notes = [*tally.refused[:3]]
    if tally.future:
        days = f"the latest {max(tally.future).isoformat()}"
        notes.append(f"{_items(tally.future)} dated in the future ({days}); the date is left out.")
    if tally.again:
        notes.append(f"{tally.again:,} known addresses came again under new ids and were left out.")
    if repeats:
        notes.append(
            "Most of its latest items were texts it had brought before; "
            f"at most {MOST_REPEATED} new ones are taken at a time."
        )
    elif listed.more:
        notes.append(f"It offers more than {most:,} new items; the rest follows at the next polls.")
    return notes


def _items(days: list[date]) -> str:
    return "1 item is" if len(days) == 1 else f"{len(days):,} items are"


def _canonical(url: str) -> str:
    """The address without what only says how one came to it."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    query = [
        (name, value)
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
        if not name.lower().startswith(_TRACKING)
    ]
    host = parts.netloc.lower()
    return urlunsplit((parts.scheme.lower(), host, parts.path or "/", urlencode(query), ""))
