"""What a document is: title, kind, company, period and date, each by its most trusted source.

The order of trust is the push, the file's own metadata, its name, its first page.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import PurePath
from typing import Any

from ingestion.parsing import company_names, event_periods, file_names, first_page, periods
from ingestion.parsing.parsed import Parsed

KINDS = {
    "annual_report": "Annual report",
    "quarterly_report": "Quarterly report",
    "current_report": "Current report",
    "earnings_call": "Earnings call",
    "announcement": "Announcement",
    "research_note": "Research note",
    "news": "News",
    "other": "Other",
}
_FORMS = {"10-K": "annual_report", "20-F": "annual_report", "40-F": "annual_report"}
_FORMS |= {"10-Q": "quarterly_report", "8-K": "current_report", "6-K": "current_report"}
_LEGAL_FORMS = frozenset(
    re.findall(
        r"\w+",
        """
    inc incorporated corp corporation co company companies ltd limited llc lp llp plc sa ag nv bv se
    spa gmbh kgaa ab asa oyj oy as kk pty pjsc holding holdings group the trust
    """,
    )
)
_OF_WORDS = ("CJK", "HIRAGANA", "KATAKANA", "HANGUL")
_MEANINGLESS = re.compile(
    r"^(?:untitled.*|document\d*|doc\d*|model|page \d+|title|slide \d+|powerpoint presentation"
    r"|\(?anonymous\)?|[\w-]*\d{4,}[\w-]*|[^\s]+\.\w{2,5}|.*\bedgar (?:submission|filing)\b.*"
    r"|adobe photoshop pdf|(?:sec )?form \S+)$",
    re.IGNORECASE,
)
_PROGRAM = re.compile(
    r"^(?:microsoft (?:word|powerpoint|excel) - )|\.(?:docx?|pptx?|indd|pdf)$", re.I
)
# Where a document says whose it is.
_HEAD = 2_000
_FIELDS = ("kind", "ticker", "fiscal_year", "fiscal_quarter", "published_on")


@dataclass(frozen=True, slots=True)
class Description:
    """The fields of a document's row; `provenance` says per field: push, file, name or page."""

    title: str
    kind: str
    company_name: str
    ticker: str
    fiscal_year: int | None
    fiscal_quarter: int | None
    published_on: dt.date | None
    provenance: dict[str, str] = field(default_factory=dict)


def describe(
    parsed: Parsed, file_name: str, pushed: Mapping[str, object], default_kind: str
) -> Description:
    """Never raises: what cannot be read as its field's type is treated as not said."""
    sources = {
        "push": _pushed(pushed),
        "file": _of_file(parsed.metadata),
        "name": file_names.facts(file_name),
        "page": first_page.facts(parsed.text),
    }
    values: dict[str, Any] = {}
    provenance: dict[str, str] = {}
    for name in _FIELDS:
        for source, facts in sources.items():
            if facts.get(name):
                values[name], provenance[name] = facts[name], source
                break
    kind = values.get("kind") or "other"
    # Words of an announcement are the weakest sign: news and research report results too.
    weak = kind == "other" or (kind == "announcement" and provenance["kind"] in ("name", "page"))
    if weak and default_kind in KINDS and default_kind != kind:
        kind = default_kind
        provenance.pop("kind", None)
    _settle_period(values, provenance, sources, parsed.text, kind)
    company, origin = _company(sources, parsed.text)
    if company:
        provenance["company"] = origin
    forms = (facts for facts in sources.values() if facts.get("kind") == kind)
    form = next((facts["form"] for facts in forms if facts.get("form")), "")
    described = Description(
        title="",
        kind=kind,
        company_name=company[:200],
        ticker=values.get("ticker", "")[:16],
        fiscal_year=values.get("fiscal_year"),
        fiscal_quarter=values.get("fiscal_quarter"),
        published_on=values.get("published_on"),
        provenance=provenance,
    )
    title, provenance["title"] = _title(described, form, sources, file_name)
    return replace(described, title=title[:500])


def _settle_period(
    values: dict[str, Any],
    provenance: dict[str, str],
    sources: Mapping[str, Mapping[str, Any]],
    text: str,
    kind: str,
) -> None:
    """Bring fiscal year and quarter in line with the kind and the day; never a quarter alone."""
    day = values.get("published_on")
    if kind == "annual_report" and provenance.get("fiscal_quarter") != "push":
        values["fiscal_quarter"] = None
    elif kind == "current_report":
        if day and provenance.get("fiscal_year") in (None, "page"):
            values["fiscal_year"] = day.year
            provenance["fiscal_year"] = provenance["published_on"]
    elif kind not in ("annual_report", "quarterly_report"):
        _settle_event_period(values, provenance, sources, text, kind)
    if not values.get("fiscal_year"):
        values["fiscal_quarter"] = None
    for name in ("fiscal_year", "fiscal_quarter"):
        if not values.get(name):
            provenance.pop(name, None)


def _settle_event_period(
    values: dict[str, Any],
    provenance: dict[str, str],
    sources: Mapping[str, Mapping[str, Any]],
    text: str,
    kind: str,
) -> None:
    """What a push or the file's fields state stays; the rest must fit it and the day."""
    stated = {
        name: values[name]
        for name in ("fiscal_quarter", "fiscal_year")
        if provenance.get(name) in ("push", "file")
    }
    title = str(sources["push"].get("title") or sources["file"].get("title") or "")[:500]
    period = event_periods.settle(
        event_periods.named_by(sources["name"], title, text, kind),
        values.get("published_on"),
        stated.get("fiscal_quarter"),
        stated.get("fiscal_year"),
    )
    for name, value in (("fiscal_year", period.year), ("fiscal_quarter", period.quarter)):
        if name not in stated:
            values[name] = value
            provenance[name] = provenance.get("published_on", "")
            if period.source != "day":
                provenance[name] = period.source


def company_key(name: str) -> str:
    """One key for the spellings of a company: no case, accents, punctuation, legal form, spaces.

    "The Coca-Cola Company", "COCA COLA CO" and "COCACOLA" have the same key.
    """
    plain = unicodedata.normalize("NFKD", name).casefold()
    plain = "".join(character for character in plain if not unicodedata.combining(character))
    plain = re.sub(r"/[a-z]{2,3}/?$", "", plain.strip())
    plain = re.sub(r"\.(?:com|net|org|io)\b", "", plain)
    words = re.findall(r"\w+", re.sub(r"(?<=\w)[.'’](?=\w)|&", "", plain))
    while len(words) > 1 and words[-1] in _LEGAL_FORMS:
        words.pop()
    if len(words) > 1 and words[0] == "the":
        words = words[1:]
    return "".join(words)[:200]


def _pushed(pushed: Mapping[str, object]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in ("title", "ticker"):
        if value := _words(pushed.get(name)):
            found[name] = value
    if value := _words(pushed.get("company") or pushed.get("company_name")):
        found["company"] = value
    if (kind := _words(pushed.get("kind"))) in KINDS:
        found["kind"] = kind
    return found | _numbers_and_dates(pushed)


def _shortest(title: str) -> int:
    """Fewer characters say nothing, except where each is a word or a part of one."""
    return 1 if any(unicodedata.name(c, "").startswith(_OF_WORDS) for c in title) else 5


def _of_file(metadata: Mapping[str, Any]) -> dict[str, Any]:
    found = _numbers_and_dates(metadata)
    for name in ("company", "ticker"):
        if value := _words(metadata.get(name)):
            found[name] = value
    title = _PROGRAM.sub("", _words(metadata.get("title"))).strip()
    if len(title) > _shortest(title) and not _MEANINGLESS.match(title):
        found["title"] = title
    stated = _words(metadata.get("document_type"))
    form = stated.upper().removesuffix("/A")
    if form in _FORMS:
        found["kind"], found["form"] = _FORMS[form], stated.upper()
    elif (kind := stated.lower().replace(" ", "_")) in KINDS:
        found["kind"] = kind
    stated_period = _words(metadata.get("fiscal_period")).upper()
    if re.fullmatch(r"Q[1-4]", stated_period):
        found["fiscal_quarter"] = int(stated_period[1])
    # An 8-K has no fiscal period; it is dated by its event.
    event = periods.find_date(_words(metadata.get("period_end")))
    if event and found.get("kind") == "current_report" and "fiscal_year" not in found:
        found["fiscal_year"], found["published_on"] = event.year, event
    return found


def _words(value: object) -> str:
    return " ".join(value.replace("\0", "").split()) if isinstance(value, str) else ""


def _numbers_and_dates(values: Mapping[str, object]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, low, high in (("fiscal_year", 1900, 2100), ("fiscal_quarter", 1, 4)):
        try:
            number = int(str(values.get(name)))
        except ValueError:
            continue
        if low <= number <= high:
            found[name] = number
    published = values.get("published_on")
    if isinstance(published, dt.date):
        found["published_on"] = (
            published.date() if isinstance(published, dt.datetime) else published
        )
    elif day := periods.find_date(_words(published)[:40]):
        found["published_on"] = day
    return found


def _company(sources: Mapping[str, Mapping[str, Any]], text: str) -> tuple[str, str]:
    """The company and who named it.

    A file name abbreviates: its word becomes the legal name that the document writes, so that a
    company's documents agree. A name that the document never writes needs a structured file name.
    """
    for source in ("push", "file"):
        if name := sources[source].get("company"):
            return (name if source == "push" else _written(name, text)), source
    on_page = str(sources["page"].get("company", ""))
    named = str(sources["name"].get("company", ""))
    if named:
        if meant := company_names.of_ticker(named, text[:_HEAD]):
            return _written(meant, text), "page"
        key = company_key(named)
        if on_page and company_key(on_page).startswith(key):
            return _written(on_page, text), "page"
        written, legal = company_names.as_written(named, text)
        # "quillon-results" may name a company or a subject; "QUILLON_2023Q1_10Q" does.
        structured = {"kind", "fiscal_year"} <= sources["name"].keys()
        if written and (legal or structured):
            return written, "page" if legal else "name"
        if structured and not on_page:
            return company_names.tidy(named), "name"
    return (_written(on_page, text), "page") if on_page else ("", "")


def _written(name: str, text: str) -> str:
    """The name in the mixed case of the text, when it is given in capitals."""
    name = company_names.tidy(name) if not name.isupper() else name
    if not name.isupper():
        return name
    written, legal = company_names.as_written(name, text)
    same = written and company_key(written) == company_key(name)
    return written if same and (legal or not written.isupper()) else company_names.tidy(name)


def _title(
    described: Description, form: str, sources: Mapping[str, Mapping[str, Any]], file_name: str
) -> tuple[str, str]:
    """The title and who gave it. A filing is named alike whatever its maker called it."""
    if title := sources["push"].get("title"):
        return str(title), "push"
    company, period, day = described.company_name, _period(described), described.published_on
    built = " ".join(filter(None, [company, form or KINDS[described.kind].lower(), period]))
    origin = described.provenance.get("company", "name")
    if company and form and described.kind == "current_report":
        return (f"{company} {form}, {day:%B} {day.day}, {day.year}" if day else built), origin
    if company and form and period:
        return built, origin
    if title := sources["file"].get("title"):
        return str(title), "file"
    if headline := sources["page"].get("headline"):
        shouted = headline.isupper()
        return (company_names.proper(headline) if shouted else str(headline)), "page"
    if company and period:
        return built, origin
    stem = PurePath(file_name.replace("\\", "/")).stem
    return re.sub(r"[_\s]+", " ", stem).strip() or "Untitled document", "name"


def _period(described: Description) -> str:
    if not described.fiscal_year:
        return ""
    year = f"FY{described.fiscal_year}"
    return f"Q{described.fiscal_quarter} {year}" if described.fiscal_quarter else year
