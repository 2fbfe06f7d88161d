"""Filings of one company from the SEC's EDGAR, by its CIK, through the submissions JSON.

Shape as documented at https://www.sec.gov/search-filings/edgar-application-programming-interfaces:
`filings.recent` holds columns (accessionNumber, filingDate, form, primaryDocument, ...) of equal
length, newest first; `filings.files` names pages of the same columns with older filings, which are
read only where the location asks for them ("320193 10-K since 2010"). The SEC asks for a declared
user agent and at most ten requests a second, which is kept over all workers together.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any

from django.conf import settings
from django.db import transaction

from docintel.locking import one_at_a_time
from docintel.net import fetch
from ingestion.models import Source
from ingestion.sources.items import Item, Known, Listing, Unusable, day_of

# A little over a tenth, for clocks that differ.
SECONDS_BETWEEN = 0.11
LARGEST_SUBMISSIONS = 64 * 1_048_576
KINDS = {
    "10-K": "annual_report",
    "10-KT": "annual_report",
    "20-F": "annual_report",
    "40-F": "annual_report",
    "10-Q": "quarterly_report",
    "10-QT": "quarterly_report",
    "8-K": "current_report",
    "6-K": "current_report",
}
_LOCATION = re.compile(
    r"(?:CIK)?\s*(\d{1,10})(?:[\s:;]+(?!since\b)(.+?))?(?:[\s,;]+since\s+(\d{4}))?", re.IGNORECASE
)
_OLDER = re.compile(r"CIK\d{10}-submissions-\d{1,4}\.json")
# Of a company's whole life there are a few.
MOST_OLDER = 40
NO_SHAPE = "EDGAR's answer has not the shape of submissions."
MISSHAPEN = (ValueError, TypeError, KeyError, AttributeError, RecursionError)
_ACCESSION = re.compile(r"\d{10}-\d{2}-\d{6}")
_DOCUMENT = re.compile(r"[\w.-]{1,200}(?:/[\w.-]{1,200})?")


def list_new(source: Source, known: Known) -> Listing:
    """The filings of the wanted forms (and their amendments) that are not known."""
    cik, forms, since = wanted(source.location)
    agent = headers()
    wait_for_turn()
    with fetch(
        f"{settings.EDGAR_DATA_URL}/submissions/CIK{cik:010d}.json",
        etag=source.etag,
        last_modified=source.last_modified,
        headers=agent,
        max_bytes=LARGEST_SUBMISSIONS,
        seconds=settings.FETCH_SECONDS,
    ) as answer:
        if answer.status == 304:
            return Listing(unchanged=True)
        try:
            reply = json.loads(answer.read())
            rows = list(_rows(reply["filings"]["recent"]))
            older = _older(reply, since)
        except MISSHAPEN as error:
            raise Unusable(NO_SHAPE) from error
        listing = Listing(etag=answer.etag, last_modified=answer.last_modified)
    company = {"company": str(reply.get("name") or "")[:200], "ticker": _ticker(reply)}
    listing.items = _items(chain(rows, _of_pages(older, since)), cik, forms, company, known)
    return listing


def wanted(location: str) -> tuple[int, frozenset[str], str]:
    """The CIK, the forms and the first year ("": only what EDGAR calls recent) of a location.

    Such as "320193", "CIK0000320193 10-K,8-K" or "320193 10-K since 2010".
    """
    match = _LOCATION.fullmatch(location.strip())
    if not match:
        raise Unusable(
            'An EDGAR source is a CIK, perhaps with forms and year: "320193 10-K,10-Q since 2010".'
        )
    named = re.split(r"[,\s]+", (match.group(2) or "").upper().strip())
    forms = frozenset(filter(None, named)) or frozenset(KINDS)
    return int(match.group(1)), forms, match.group(3) or ""


def headers() -> dict[str, str]:
    """The declared user agent; Unusable in words while none is set."""
    if "@" not in settings.EDGAR_USER_AGENT:
        raise Unusable(
            "The SEC answers only who says who they are: set EDGAR_USER_AGENT to your "
            'firm\'s name and an address, as in "Example Research jane@example.com".'
        )
    return {"User-Agent": settings.EDGAR_USER_AGENT}


def wait_for_turn() -> None:
    """Return no sooner than a tenth of a second after it returned to any worker."""
    with transaction.atomic():
        one_at_a_time("edgar")
        time.sleep(SECONDS_BETWEEN)


def _older(reply: Mapping[str, Any], since: str) -> list[str]:
    """The names of the pages that reach into the time asked for; none where none was asked for."""
    files = reply["filings"].get("files") or []
    found = [(str(file["name"]), str(file["filingTo"])) for file in files] if since else []
    return [name for name, to in found if to[:4] >= since and _OLDER.fullmatch(name)][:MOST_OLDER]


def _of_pages(names: list[str], since: str) -> Iterator[dict[str, str]]:
    """The rows of older pages, each fetched when its turn comes."""
    for name in names:
        agent = headers()
        wait_for_turn()
        with fetch(
            f"{settings.EDGAR_DATA_URL}/submissions/{name}",
            headers=agent,
            max_bytes=LARGEST_SUBMISSIONS,
            seconds=settings.FETCH_SECONDS,
        ) as answer:
            try:
                rows = list(_rows(json.loads(answer.read())))
            except MISSHAPEN as error:
                raise Unusable(NO_SHAPE) from error
        yield from (row for row in rows if row["filingDate"][:4] >= since)


def _rows(recent: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    names = ("accessionNumber", "filingDate", "form", "primaryDocument", "primaryDocDescription")
    columns = [recent[name] for name in names[:4]]
    columns.append(recent.get(names[4]) or [""] * len(columns[0]))
    if len({len(column) for column in columns}) != 1:
        raise ValueError("columns of different length")
    for values in zip(*columns, strict=True):
        yield dict(zip(names, map(str, values), strict=True))


def _items(
    rows: Iterable[dict[str, str]],
    cik: int,
    forms: frozenset[str],
    company: dict[str, str],
    known: Known,
) -> Iterator[Item]:
    for row in rows:
        form, accession, document = row["form"], row["accessionNumber"], row["primaryDocument"]
        # An amendment comes with the form that it amends.
        if form not in forms and form.removesuffix("/A") not in forms:
            continue
        # They become part of an address.
        if not _ACCESSION.fullmatch(accession) or not _DOCUMENT.fullmatch(document):
            continue
        if ".." in document or known(accession, row["filingDate"]):
            continue
        # "xslF345X05/form4.xml" is the drawn form of the file behind it.
        folder = f"{settings.EDGAR_ARCHIVES_URL}/edgar/data/{cik}/{accession.replace('-', '')}"
        pushed = {name: value for name, value in company.items() if value}
        if kind := KINDS.get(form.removesuffix("/A")):
            pushed["kind"] = kind
        yield Item(
            external_id=accession,
            url=f"{folder}/{document}",
            file_name=document.rsplit("/", 1)[-1],
            published_on=day_of(row["filingDate"]),
            version=row["filingDate"],
            pushed={**pushed, "form": form},
        )


def _ticker(reply: Mapping[str, Any]) -> str:
    tickers = reply.get("tickers")
    return str(tickers[0])[:16] if isinstance(tickers, list) and tickers else ""
