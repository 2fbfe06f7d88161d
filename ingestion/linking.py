"""Mentions of companies to their rows, by all names that the tables know."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass

from django.db.models import Max

from ingestion.attributing import is_attributed
from ingestion.models import Company, CompanyAlias, Document, Mention
from ingestion.recognising.known_names import KnownNames
from ingestion.recognising.legal_forms import without_form
from ingestion.recognising.matching import Entry, Matcher, link
from ingestion.recognising.mention import COMPANY, Found
from ingestion.recognising.words import is_generic

# The tables are read again after this long, for names that were changed; whatever was added is seen
# at once, since the first filings of a corpus bring the companies that its news is about.
FRESH_SECONDS = 300.0
FILINGS = ("annual_report", "quarterly_report", "current_report", "announcement")
_DEFINITION = re.compile(r"\([^()]{0,120}[“\"](?:the\s+)?Company[,.]?[”\"]")
_DEFINED_WITHIN = 400


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What the tables know at one moment: for finding names, and for linking them."""

    known: KnownNames
    matcher: Matcher
    read_at: float
    newest: tuple[int | None, ...]


_latest: list[Catalogue] = []


def catalogue(*, fresh: bool = False) -> Catalogue:
    """The names of all companies, those just added too; changed names are at most five minutes
    old, or read now if `fresh`."""
    newest = tuple(
        table.objects.aggregate(newest=Max("pk"))["newest"] for table in (Company, CompanyAlias)
    )
    old = not _latest or time.monotonic() - _latest[0].read_at > FRESH_SECONDS
    if fresh or old or _latest[0].newest != newest:
        entries = [
            Entry(pk, name, ticker)
            for pk, name, ticker in Company.objects.values_list("pk", "name", "ticker")
        ]
        aliases = CompanyAlias.objects.values_list("company", "name")
        entries += [Entry(company, name) for company, name in aliases]
        names = {n for entry in entries for n in (entry.name, without_form(entry.name))}
        _latest[:] = [
            Catalogue(KnownNames.of(names), Matcher.of(entries), time.monotonic(), newest)
        ]
    return _latest[0]


def filer_names(document: Document) -> list[str]:
    """What the company that the document is about is called; empty if only its mentions say it."""
    company = document.company
    if company is None or is_attributed(document):
        return []
    names = [company.name, *company.aliases.values_list("name", flat=True)]
    # A short ticker is a word of its own too often: "KEY", "SO".
    if len(company.ticker) >= 3 and company.ticker.isalpha() and not is_generic(company.ticker):
        names.append(company.ticker)
    return names


def link_mentions(document: Document) -> int:
    """Link the document's company mentions anew; how many are linked.

    A name that could be two companies' stays unlinked, unless a person said whose it is.
    """
    rows = list(document.mentions.filter(kind=COMPANY).order_by("start"))
    filer = document.company_id if _may_be_called_the_company(document) else None
    found = [Found(row.start, row.end, row.kind, row.name, row.value) for row in rows]
    own = None if is_attributed(document) else document.company_id
    ids = link(found, catalogue().matcher, own, filer_names(document))
    said = dict(document.link_words.values_list("name", "company"))
    for row, company in zip(rows, ids, strict=True):
        reference = bool(row.value.get("reference"))
        row.company_id = filer if reference else said.get(row.name, company)
    Mention.objects.bulk_update(rows, ["company"], batch_size=1_000)
    return sum(row.company_id is not None for row in rows)


def _may_be_called_the_company(document: Document) -> bool:
    """Whether "the Company" is the filer: a filing, whose definition, if any, follows its name."""
    if document.company is None or is_attributed(document) or document.kind not in FILINGS:
        return False
    definition = _DEFINITION.search(document.text)
    if definition is None:
        return True
    before = document.text[max(0, definition.start() - _DEFINED_WITHIN) : definition.end()].lower()
    names = (without_form(name).lower() for name in filer_names(document))
    return any(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", before) for name in names)
