"""Fill the table of companies: listed ones from a package's list, others from a CSV file.

A company that is there already keeps its name and gets what it lacks; nothing is ever removed.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import transaction

from ingestion.companies import LONGEST_NAME
from ingestion.metadata import company_key
from ingestion.models import Company, CompanyAlias

COLUMNS = ("name", "ticker", "cik", "lei", "aliases")
LONGEST = {"ticker": 16, "cik": 10, "lei": 20}
FORMS = {"cik": r"\d{1,10}", "lei": r"[A-Z0-9]{20}"}
NAMES_AT_ONCE = 1_000
MOST_COMPANIES = 200_000


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


def read_csv(path: Path) -> list[Listed]:
    """A file with a header: name, and any of ticker, cik, lei, aliases (parted by semicolons).

    Read and checked whole. Rows of one company complete each other. Raises BadCatalogue, whose
    message names the line.
    """
    rows: dict[str, Listed] = {}
    owners: dict[tuple[str, str], str] = {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            _check_header(path, list(reader.fieldnames or ()))
            for row in reader:
                try:
                    _add(rows, owners, _listed(row))
                except ValueError as error:
                    raise BadCatalogue(f"{path}, line {reader.line_num}: {error}") from error
    except UnicodeDecodeError as error:
        raise BadCatalogue(f"{path} is not UTF-8 text; save it as CSV in UTF-8") from error
    except (OSError, csv.Error) as error:
        raise BadCatalogue(f"{path}: {error}") from error
    if not rows:
        raise BadCatalogue(f"{path} holds no company")
    return list(rows.values())


def _check_header(path: Path, columns: list[str]) -> None:
    if "name" not in columns or set(columns) - set(COLUMNS) or len(set(columns)) < len(columns):
        said = ", ".join(columns) or "none"
        raise BadCatalogue(
            f"{path}: the columns are {', '.join(COLUMNS)}, each once, and name is needed; "
            f"found {said[:200]}"
        )


def _listed(row: dict[str | None, Any]) -> Listed:
    """One row; raises ValueError in words."""
    if None in row:
        raise ValueError("more cells than columns; put quotes around a name with a comma")
    cells = {name: " ".join((row.get(name) or "").split()) for name in COLUMNS}
    if any("\0" in cell for cell in cells.values()):
        raise ValueError("a NUL character; is this a CSV file?")
    for name, most in {**LONGEST, "name": LONGEST_NAME}.items():
        if len(cells[name]) > most:
            raise ValueError(f"{name} is longer than {most} characters")
    for name, form in FORMS.items():
        if cells[name] and not re.fullmatch(form, cells[name]):
            raise ValueError(f"{cells[name]!r} is no {name.upper()}")
    if not company_key(cells["name"]):
        raise ValueError("a company without a name")
    aliases = tuple(filter(None, (alias.strip() for alias in cells.pop("aliases").split(";"))))
    if any(len(alias) > LONGEST_NAME for alias in aliases):
        raise ValueError(f"an alias is longer than {LONGEST_NAME} characters")
    return Listed(**cells, aliases=aliases)


def _add(rows: dict[str, Listed], owners: dict[tuple[str, str], str], entry: Listed) -> None:
    """Among the others, or into the row of the same company; raises ValueError in words."""
    key = company_key(entry.name)
    first = rows.get(key)
    for name in LONGEST:
        said = getattr(entry, name)
        before = getattr(first, name) if first else ""
        if said and before and said != before:
            raise ValueError(f"{entry.name} has {name} {said}, but {before} on an earlier line")
        if said and owners.setdefault((name, said), key) != key:
            other = rows[owners[name, said]].name
            raise ValueError(f"{name} {said} is that of {other} on an earlier line")
    if first is None and len(rows) >= MOST_COMPANIES:
        raise ValueError(f"more than {MOST_COMPANIES:,} companies; split the file")
    if first is None:
        rows[key] = entry
    else:
        given = {name: getattr(first, name) or getattr(entry, name) for name in LONGEST}
        aliases = tuple(dict.fromkeys([*first.aliases, *entry.aliases]))
        rows[key] = Listed(first.name, **given, aliases=aliases)


@transaction.atomic
def load_csv(path: Path) -> tuple[int, int]:
    """As `load`, all or nothing; raises BadCatalogue where the file contradicts the table too."""
    listed = read_csv(path)
    stored = list(Company.objects.all())
    by_key = {company.key: company for company in stored}
    owners = {(name, getattr(company, name)): company for company in stored for name in LONGEST}
    for entry in listed:
        known = by_key.get(company_key(entry.name))
        for name in LONGEST:
            said = getattr(entry, name)
            has = getattr(known, name) if known else ""
            if said and has and said != has:
                raise BadCatalogue(f"{path}: {entry.name} has {name} {said}, but {has} already")
            owner = owners.get((name, said)) if said else None
            if owner is not None and owner != known:
                raise BadCatalogue(f"{path}: {name} {said} of {entry.name} is that of {owner}")
    return load(listed)


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
