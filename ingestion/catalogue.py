"""Fill the table of companies: listed ones from a package's list, others from a CSV file.

A company that is there already keeps its name and gets what it lacks; nothing is ever removed.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from django.db import transaction

from ingestion.companies import LONGEST_NAME
from ingestion.metadata import company_key
from ingestion.models import Company, CompanyAlias

COLUMNS = ("name", "ticker", "cik", "lei", "aliases")
LONGEST = {"ticker": 16, "cik": 10, "lei": 20}
NAMES_AT_ONCE = 1_000


class BadCatalogue(Exception):
    """The file cannot be read as a catalogue; the message says which line."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One company of a catalogue; everything but the name may be empty."""

    name: str
    ticker: str = ""
    cik: str = ""
    lei: str = ""
    aliases: tuple[str, ...] = ()


def default_catalogue() -> Iterator[Listed]:
    """About 1,800 companies of the large stock indices, with the ticker of their home market."""
    # It reads a file of a megabyte when it is imported.
    from pytickersymbols import PyTickerSymbols  # noqa: PLC0415

    for stock in PyTickerSymbols().get_all_stocks():
        yield Listed(stock["name"], str(stock.get("symbol") or ""))


def read_csv(path: Path) -> Iterator[Listed]:
    """A file with a header: name, and any of ticker, cik, lei, aliases (parted by semicolons).

    Raises BadCatalogue.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            missing = {"name"} - set(rows.fieldnames or ())
            unknown = set(rows.fieldnames or ()) - set(COLUMNS)
            if missing or unknown:
                raise BadCatalogue(f"{path}: the columns are {', '.join(COLUMNS)}; name is needed")
            for row in rows:
                cells = {name: (row.get(name) or "").strip() for name in COLUMNS}
                for name, most in LONGEST.items():
                    if len(cells[name]) > most:
                        raise BadCatalogue(f"{path}, line {rows.line_num}: {name} is too long")
                aliases = tuple(filter(None, map(str.strip, cells.pop("aliases").split(";"))))
                yield Listed(**cells, aliases=aliases)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadCatalogue(f"{path}: {error}") from error


@transaction.atomic
def load(listed: Iterable[Listed]) -> tuple[int, int]:
    """(companies added, companies there already that learned something); seconds for thousands."""
    merged = _by_key(listed)
    there = {company.key: company for company in Company.objects.all()}
    learned = []
    for key, entry in merged.items():
        company = there.get(key)
        if company is not None and _learn(company, entry):
            learned.append(company)
    Company.objects.bulk_update(learned, list(LONGEST), batch_size=NAMES_AT_ONCE)
    fresh = [
        Company(name=entry.name, key=key, ticker=entry.ticker[:16], cik=entry.cik, lei=entry.lei)
        for key, entry in merged.items()
        if key not in there
    ]
    # Another process may add one of them at the same moment.
    Company.objects.bulk_create(fresh, batch_size=NAMES_AT_ONCE, ignore_conflicts=True)
    ids = dict(Company.objects.values_list("key", "pk"))
    aliases = [
        CompanyAlias(company_id=ids[key], name=alias, key=company_key(alias))
        for key, entry in merged.items()
        for alias in entry.aliases
        if company_key(alias) not in ("", key)
    ]
    CompanyAlias.objects.bulk_create(aliases, batch_size=NAMES_AT_ONCE, ignore_conflicts=True)
    return len(fresh), len(learned)


def load_default_once() -> int:
    """The default catalogue where no company has a ticker yet; how many were added."""
    if Company.objects.exclude(ticker="").count() >= NAMES_AT_ONCE:
        return 0
    return load(default_catalogue())[0]


def _by_key(listed: Iterable[Listed]) -> dict[str, Listed]:
    """The first of each key: two share classes of one company are one company."""
    merged: dict[str, Listed] = {}
    for entry in listed:
        name = " ".join(entry.name.split())[:LONGEST_NAME]
        key = company_key(name)[:LONGEST_NAME]
        if key:
            merged.setdefault(key, Listed(name, entry.ticker, entry.cik, entry.lei, entry.aliases))
    return merged


def _learn(company: Company, entry: Listed) -> bool:
    changed = False
    for name in LONGEST:
        said = getattr(entry, name)
        if said and not getattr(company, name):
            setattr(company, name, said)
            changed = True
    return changed
