"""What the first page of a document says of itself: form, registrant, period, date, headline."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

from ingestion.parsing import company_names, periods

_HEAD = 6_000
_COVER = 4_000
_HEADING = 1_000
_FORM = re.compile(
    r"(?:\bFORM|^\W*Form)\s+(10-?K(?:405|SB)?|20-?F|40-?F|10-?Q(?:SB)?|8-?K|6-?K)(/A)?\b",
    re.MULTILINE,
)
_COMMISSION = re.compile(r"securities\s+and\s+exchange\s+commission", re.IGNORECASE)
_FORM_KINDS = {"10-K": "annual_report", "20-F": "annual_report", "40-F": "annual_report"}
_FORM_KINDS |= {"10-Q": "quarterly_report", "8-K": "current_report", "6-K": "current_report"}
_KINDS = [
    (
        "research_note",
        (
            r"\b(?:price target|equity research|initiating coverage|initiation of coverage"
            r"|research note|(?:rating|recommendation)\s*[:|]\s*(?:buy|hold|sell|outperform|neutral"
            r"|overweight|underweight|underperform|market perform))\b"
        ),
    ),
    (
        "earnings_call",
        (
            r"\b(?:earnings|results)\s+(?:conference\s+)?call\b|\bconference call transcript\b"
            r"|\bcall transcript\b|^\s*operator\b[\s:.]+(?:good|welcome|ladies|thank|greetings)"
        ),
    ),
    ("annual_report", r"\bannual report pursuant to section 13\b|^[^\n]{0,60}\bannual report\b"),
    (
        "quarterly_report",
        r"\bquarterly report pursuant to section 13\b|^[^\n]{0,60}\bquarterly report\b",
    ),
    ("current_report", r"\bcurrent report\s+pursuant to section 13\b"),
    (
        "announcement",
        (
            r"\b(?:news|press)\s+release\b|business wire|pr ?newswire|globe ?newswire|accesswire"
            r"|\b(?:reports|announces|announced|reported)\b[^.]{0,160}\bresults\b"
            r"|\bfor immediate release\b|\btoday (?:announced|reported)\b"
        ),
    ),
    (
        "news",
        r"^[A-Z][a-z .,'’/-]{2,40},?\s[^\n]{0,30}\((?:ap|bloomberg|dow jones|afp)\)|\(reuters\)",
    ),
]
_PATTERNS = [(kind, re.compile(pattern, re.I | re.M)) for kind, pattern in _KINDS]
_REGISTRANT = re.compile(
    r"exact\s+name\s+of\s+(?:the\s+)?(?:registrant|company|issuer)", re.IGNORECASE
)
_AFTER_NUMBER = re.compile(
    r"commission\s+file\s+(?:number|no\.?):?\s*[\d-]+\.?[\s_]*\n([^\n]{2,60})\n", re.IGNORECASE
)
_NAME_END = re.compile(
    r"\b(?:inc|corp|corporation|company|co|ltd|limited|plc|llc|l\.?p|n\.?v|s\.?a|ag|group|trust)\.?$",
    re.IGNORECASE,
)
_NO_NAME = re.compile(r"commission|formerly|file\s+(?:number|no)|\d-\d", re.IGNORECASE)
_BOILERPLATE = re.compile(
    r"united states|securities and exchange|washington|table of contents|check th|\W*form \d"
    r"|(?:news|press) release|for immediate release",
    re.IGNORECASE,
)
_SIGNED = re.compile(r"duly\s+caused\s+t?his\s+(?:[\w/-]+\s+){0,4}to\s+be\s+signed", re.IGNORECASE)
# A date of its own: a line, the end of one, between dashes or bars, or after its label.
_DATELINE = re.compile(
    r"(?:^[\s*_#>|]*|,\s+|\s[-–—•·|]\s+|[-–—]{2}|[(]"
    r"|\b(?:dated?|published|issued|released)(?:\s+on)?[\s:*|]*)"
    rf"{periods.DATE}(?=[\s*_]*(?:$|[-–—/()|:•·]|,?\s*at\b|,?\s*\d\d?:))",
    re.IGNORECASE | re.MULTILINE,
)
_FILED = re.compile(
    r"(?:^|[.;:)|]\s+)(?:as\s+)?filed(?:\s+with\s+the\s+(?:securities\s+and\s+exchange\s+"
    r"commission|sec|commission))?(?:\s+on)?[\s:|]+" + periods.DATE,
    re.IGNORECASE | re.MULTILINE,
)
_YEAR_ENDED = re.compile(
    r"(?:for\s+the\s+)?(?:fiscal\s+|financial\s+)?years?\s+end(?:ed|ing):?[\s_|]*" + periods.DATE,
    re.IGNORECASE,
)
_QUARTER_ENDED = re.compile(
    r"quarter(?:ly)?\s+(?:period\s+)?ended:?[\s_|]*" + periods.DATE, re.IGNORECASE
)
_REPORT_DATE = re.compile(r"date\s+of\s+report[^\n]{0,80}?[\s:_|]+" + periods.DATE, re.IGNORECASE)
_PERIOD_LENGTHS = re.compile(
    r"\b(three|six|nine|12|13|14|24|25|26|27|36|37|39|40|twelve|thirteen|twenty-four|twenty-six"
    r"|thirty-six|thirty-nine)[\s-]+(months?|weeks?)\s+(?:period\s+)?ended",
    re.IGNORECASE,
)
_LENGTH_QUARTERS = {"three": 1, "six": 2, "nine": 3, "twelve": 1, "thirteen": 1}
_LENGTH_QUARTERS |= {"twenty-four": 2, "twenty-six": 2, "thirty-six": 3, "thirty-nine": 3}
_LENGTH_QUARTERS |= {"12": 1, "13": 1, "14": 1, "24": 2, "25": 2, "26": 2, "27": 2}
_LENGTH_QUARTERS |= {"36": 3, "37": 3, "39": 3, "40": 3}
_TICKER = re.compile(
    r"[(\[]\s*(?:NYSE|NASDAQ|AMEX|LSE|TSX|ASX|OTC)[^():\n]{0,30}:\s*([A-Z][A-Z.]{0,5})\b",
    re.IGNORECASE,
)
_ISSUER = re.compile(
    r"((?:(?:(?:Co|Inc|Corp|Ltd|St)\.|[A-Z0-9][\w&'’-]*(?:\.com)?),?\s+(?:&\s+)?){0,6}"
    r"[A-Z0-9][\w&'’-]*\.?)\s*"
    r"(?:\([“\"'][^()]{2,60}\)\s*)?[(\[]\s*(?i:NYSE|NASDAQ|AMEX|LSE|TSX|ASX|OTC)\b"
)


def facts(text: str) -> dict[str, Any]:
    """Kind, form, company, ticker, fiscal period, published_on and headline, those found."""
    head = text[:_HEAD]
    found: dict[str, Any] = {}
    form = _FORM.search(head[:1_500])
    # Anyone may mention a form; its own cover names the Commission or gives it a line.
    if form and (_COMMISSION.search(head[:1_500]) or _alone_on_line(form)):
        name = form[1].upper().replace("405", "").replace("SB", "")
        name = name if "-" in name else f"{name[:-1]}-{name[-1]}"
        found["kind"] = _FORM_KINDS[name]
        found["form"] = name + (form[2] or "").upper()
    elif kind := _kind_by_words(head[:2_500]):
        found["kind"] = kind
    found |= _company(text, head, found.get("kind", ""))
    found |= _period(text, head, found.get("kind", ""))
    if day := _published_on(text, found.get("kind", "")):
        found["published_on"] = day
    if headline := _headline(head):
        found["headline"] = headline
    return found


def _alone_on_line(form: re.Match[str]) -> bool:
    before, after = form.string[: form.start()], form.string[form.end() :]
    line = before.rpartition("\n")[2] + after.partition("\n")[0]
    return form.start() < 500 and not re.search(r"\w", line)


def _kind_by_words(head: str) -> str:
    """Of the kinds whose words may stand in any document, the one that is told first."""
    found = {kind: match.start() for kind, pattern in _PATTERNS if (match := pattern.search(head))}
    for kind in ("research_note", "earnings_call"):
        if kind in found:
            return kind
    news = found.pop("news", None)
    return min(found, key=found.__getitem__) if found else "news" if news is not None else ""


def _company(text: str, head: str, kind: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    registrant = _REGISTRANT.search(head)
    if registrant and registrant.start() < 4_000:
        before = head[: registrant.start()].rstrip(" \t\n_*|(").rsplit("\n", 1)[-1]
        name = re.split(r"_{3,}", before)[-1].strip(" *|")
        # The line may be missing, as where the name is a picture; then a number stands there.
        if 2 <= len(name) <= 80 and not _NO_NAME.search(name):
            found["company"] = name
    after = _AFTER_NUMBER.search(head)
    if after and "company" not in found and _NAME_END.search(after[1].strip()):
        found["company"] = after[1].strip()
    ticker = _TICKER.search(head)
    if ticker:
        found["ticker"] = ticker[1].upper()
        issuer = _ISSUER.search(head)
        if issuer and "company" not in found:
            found["company"] = " ".join(issuer[1].split()).lstrip("-– ")
    # The first company that a filing, a call or a note names is its subject; a story's is not.
    if kind not in ("", "news") and "company" not in found:
        found["company"] = company_names.first_legal_name(head[:2_500], text)
    return found


def _period(text: str, head: str, kind: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if kind == "annual_report":
        match = _YEAR_ENDED.search(head)
        end = periods.date_of(match) if match else None
        year = periods.fiscal_year_of_end(end) if end else periods.quarter_and_year(head[:800])[1]
        return {"fiscal_year": year} if year else {}
    if kind == "quarterly_report":
        match = _QUARTER_ENDED.search(head)
        end = periods.date_of(match) if match else None
        if end:
            quarter, year = periods.fiscal_period(end, _reported_quarter(text))
            return {"fiscal_year": year, "fiscal_quarter": quarter}
    if kind == "current_report":
        match = _REPORT_DATE.search(head)
        day = periods.date_of(match) if match else None
        return {"fiscal_year": day.year} if day else {}
    quarter_named, year_named = periods.quarter_and_year(head[:1_500])
    if quarter_named:
        found["fiscal_quarter"] = quarter_named
    if year_named:
        found["fiscal_year"] = year_named
    return found


def heading(text: str) -> str:
    """The lines before the first sentence, less rows of several periods, as above a table."""
    lines: list[str] = []
    for line in text[:_HEADING].split("\n"):
        words = line.replace("|", " ").split()
        if len(words) >= 14 or (len(words) >= 8 and words[-1].endswith((".", ","))):
            break
        if len(set(periods.quarters_named(line))) < 3:
            lines.append(line)
    return "\n".join(lines)


def named_periods(text: str, kind: str) -> list[tuple[int | None, int | None]]:
    """Fiscal periods that the heading names, as (quarter, year), the likeliest first.

    What a release or a call says first is its period too; a note or a story compares.
    """
    named = periods.periods_named(heading(text))
    if kind not in ("research_note", "news"):
        named += periods.quarters_named(text[:1_500])
    return named


def _reported_quarter(text: str) -> int | None:
    """Which quarter its statements cover: six months ended means the second."""
    found = [_LENGTH_QUARTERS[m[1].lower()] for m in _PERIOD_LENGTHS.finditer(text[:80_000])]
    return max(found, default=None)


def _published_on(text: str, kind: str) -> dt.date | None:
    head = text[:_HEAD]
    if kind in ("annual_report", "quarterly_report"):
        # Its cover names the end of its period; the day it was signed stands at its end.
        signed = _SIGNED.search(text)
        day = periods.find_date(text[signed.end() : signed.end() + 1_500]) if signed else None
        filed = _FILED.search(head[:_COVER])
        return day or (periods.date_of(filed) if filed else None)
    match = _REPORT_DATE.search(head)
    if match:
        return periods.date_of(match)
    if kind == "current_report":
        return None
    # A date in running text is about anything; a dateline or a line of its own is the day.
    match = _DATELINE.search(head[:2_500])
    return periods.date_of(match) if match else None


def _headline(head: str) -> str:
    for line in head.split("\n")[:12]:
        words = " ".join(line.replace("#", " ").replace("*", " ").split())
        if _BOILERPLATE.match(words) or " | " in words:
            continue
        if 12 <= len(words) <= 160 and len(words.split()) >= 3 and not periods.find_date(words):
            return words
    return ""
