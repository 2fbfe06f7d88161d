"""What can be counted of a sentence or row as an answer to a question; pure but for its inputs.

Every feature lies in [-1, 1] or [0, 1], so that the weights of a scorer can be compared.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from ingestion.recognising.metrics import metrics
from qa.asked import Asked
from qa.checking.evidence import Header, Times, times
from qa.checking.quantities import quantities
from qa.checking.quoting import fold
from qa.checking.wording import STOP, content, says_the_same, stem
from qa.extractive.asked_kinds import AskedFor, asked_for
from qa.extractive.cutting_units import Unit
from qa.offering import Offered

CAUSE = re.compile(
    r"\bbecause\b|\bdue (?:primarily |mainly |largely )?to\b|\battribut\w+\b|\breflect\w*\b|"
    r"\bas a (?:result|consequence)\b|\bdriven\b|\bcaused\b|\bowing\b|\bled to\b|"
    r"\bprimarily\b|\bresult(?:ed|ing) (?:from|in)\b|\boffset\b|\bdespite\b|\bon account of\b",
    re.I,
)
OUTLOOK = re.compile(
    r"\b(?:expect|anticipat|guid|forecast|project|plan|target|outlook|intend)\w*\b|"
    r"\bwill\b|\bshould\b",
    re.I,
)
PERSON = re.compile(
    r"\b(?:Mr|Ms|Mrs|Dr)\.\s[A-Z]|\b[A-Z][a-z]+ (?:[A-Z]\. )?[A-Z][a-z]+,? (?:\d\d,|who|was|has|"
    r"is|our|the|chief|president|chair|joined|succeed|as|will|said|to|resign|retire)|"
    r"\b(?:chief|president|chair\w*|director|partner|founder|officer|treasurer),? "
    r"(?:of [A-Z]\w+,? )?[A-Z][a-z]+ [A-Z]|\b(?:LLP|& Co\.)"
)
BOILERPLATE = re.compile(
    r"forward-looking|could (?:cause|differ)|differ materially|"
    r"incorporated (?:herein )?by reference|"
    r"\b(?:refer to|see) (?:also )?(?:[“\"']?(?:Note|Item|Part|the section|[“\"]))|"
    r"the following (?:table|discussion|tables|chart)|table of contents|\bset forth\b|"
    r"we have audited|in our opinion|critical audit matter|generally accepted accounting|"
    r"should be read in conjunction|non-GAAP (?:financial )?measures? (?:is|are|should)|"
    r"are (?:unable|not able) to reconcile|shall not be deemed|safe harbor|webcast|"
    r"conference call|(?:^|\s)\(\d\) (?:Represents|Includes|See|Excludes)|reconciliation of|"
    r"differs from|is defined as|presented (?:below|above)|^operator\b|next question|"
    r"good (?:morning|afternoon)|thank you|no material changes (?:to|in|from) (?:the|our) risk|"
    r"not guarantees|results (?:may|might) differ|prepared from a recording|analyst certification|"
    r"words such as\b.{0,80}\bidentify",
    re.I,
)
# "… in five segments: A, B and C": what a list is asked for.
ENUMERATION = re.compile(
    r"(?:\b(?:are|is|include[sd]?|including|consists? of|comprise[sd]?(?: of)?|following|such as|"
    r"namely|through|makes?|sells?|under|operates?|in)\b|:)[^.;]*?\w,\s[^.;]*?,?\s(?:and|or|&)\s",
    re.I,
)
# "Total", "Other": what they add up to stands elsewhere.
_BARE_LABEL = re.compile(
    r"^(?:sub)?totals?(?: company| consolidated)?$|^other$|^(?:percent|percentage|%)\b.{0,12}$|"
    r"^(?:current|prior|same) (?:period|year)|^net$|^(?:first|second|third|fourth) quarter$|"
    r"^(?:change|growth|balance)s?$",
    re.I,
)
# Words that frame a question and are no content of an answer.
_FRAME = frozenset(
    (  # noqa: SIM905
        "much many long far drov drive driven compani compan fiscal year quarter annual period "
        "compar explain summariz describ chang develop happen name list tell find relativ versus"
    ).split()
)
# What a name leaves behind where it is cut out of "Halden's margin".
_POSSESSIVE = re.compile(r"(?<!\w)['’]s?(?=\s)")
_ANAPHOR = re.compile(
    r"(?:The (?:decrease|increase|decline|improvement|change|reduction|charge|growth|rise|"
    r"effect|remainder|latter|difference|revision|rest|event|former|program|agreement)|This|"
    r"These|It|They|That|Those|Such|He|She|His|Her|Its|Their|Both|About|Of (?:this|these|that)|"
    r"In addition|However|As a result|Only that|Because of (?:this|that))\b"
)


@dataclass(frozen=True, slots=True)
class Question:
    """`years` and `quarters` are those asked for; `items` are line items by metric, stems each."""

    text: str
    stems: tuple[str, ...]
    wants: AskedFor
    metrics: frozenset[str]
    items: tuple[tuple[str, frozenset[str]], ...]
    years: frozenset[int]
    quarters: frozenset[tuple[int, int]]
    bare_quarters: frozenset[int]
    months: frozenset[int]
    companies: frozenset[int]
    temporal: bool = False
    # Without the names and periods, of which every candidate is anyway.
    bare: str = ""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A unit with its neighbours in the passage (their places in the list, or None)."""

    offered: Offered
    unit: Unit
    before: int | None = None
    after: int | None = None
    # The place of the question that it answers, in a call.
    answers: int | None = None


@dataclass(slots=True)
class Read:
    """What is read from a candidate once."""

    folded: str
    stems: frozenset[str]
    heading: frozenset[str]
    times: Times
    metrics: frozenset[str]
    has_figure: bool
    features: dict[str, float] = field(default_factory=dict)


def read_question(question: str, understanding: Asked | None) -> Question:
    text = fold(question)
    plain, named = text, set()
    years: set[int] = set()
    quarters: set[tuple[int, int]] = set()
    items: list[tuple[str, frozenset[str]]] = []
    if understanding is not None:
        for company in understanding.companies:
            plain = blank(plain, company)
        for metric in understanding.metrics:
            named.add(metric.name)
            items += _items(metric)
        for period in understanding.periods:
            years.update(period.years)
            quarters.update(period.quarters)
    own = times(text)
    if not years:
        years = set(own.years)
    for low, high in sorted(own.spans, reverse=True):
        if len(text) == len(plain):
            plain = plain[:low] + " " * (high - low) + plain[high:]
    stems = [s for s in dict.fromkeys(content(plain)) if s not in _FRAME]
    return Question(
        text,
        tuple(stems) or tuple(dict.fromkeys(content(text))),
        asked_for(text),
        frozenset(named | {m.name for m in metrics(text)}),
        tuple(items),
        frozenset(years) | {year for year, _ in quarters},
        frozenset(quarters),
        own.quarters if not quarters else frozenset(),
        own.months,
        frozenset(c.id for c in understanding.companies) if understanding else frozenset(),
        bool(understanding and understanding.temporal),
        " ".join(_POSSESSIVE.sub(" ", plain).split()),
    )


def blank(text: str, named: object) -> str:
    """The question without what was read there: its company, of which every candidate is anyway."""
    start, end = getattr(named, "start", 0), getattr(named, "end", 0)
    return text[:start] + " " * (end - start) + text[end:] if 0 <= start < end else text


def _items(metric: object) -> list[tuple[str, frozenset[str]]]:
    """A ratio's own name first, then the names of its line items and ingredients."""
    names = [getattr(metric, "name", ""), *getattr(metric, "items", ())]
    return [(name, frozenset(map(stem, re.findall(r"[a-z]+", name.lower())))) for name in names]


@lru_cache(maxsize=4096)
def read_text(shown: str, label: str, company: str, section: str) -> Read:
    folded = fold(shown)
    return Read(
        folded,
        frozenset(content(f"{folded} {company}")),
        frozenset(content(section)),
        times(folded),
        frozenset(m.name for m in metrics(label or folded)),
        any(not q.is_year for q in quantities(folded)),
    )


@dataclass(frozen=True, slots=True)
class Words:
    """The question's words as the candidates have them: (weight, itself, equals in meaning)."""

    each: tuple[tuple[float, str, frozenset[str]], ...]
    total: float

    @classmethod
    def of(cls, asked: Question, held: Sequence[frozenset[str]]) -> Words:
        """A word weighs more the rarer it is among the candidates."""
        counts = Counter(stem for stems in held for stem in stems)
        rows = []
        for word in asked.stems:
            equals = frozenset(other for other in counts if says_the_same(word, other)) - {word}
            weight = math.log(1 + (len(held) + 1) / (1 + counts[word]))
            rows.append((weight, word, equals))
        return cls(tuple(rows), sum(row[0] for row in rows) or 1.0)

    def share(self, held: frozenset[str]) -> float:
        """The weighted share that is there; 0.7 of it for an equal in meaning."""
        found = 0.0
        for weight, word, equals in self.each:
            if word in held:
                found += weight
            elif not equals.isdisjoint(held):
                found += 0.7 * weight
        return found / self.total


def features(asked: Question, candidate: Candidate, read: Read, newest: int) -> dict[str, float]:
    """All but what needs the other candidates or an encoder."""
    unit, header = candidate.unit, candidate.offered.source.header
    wants, folded = asked.wants, read.folded
    found = {
        "metric": _metric_fit(asked, unit, read),
        "figure": _signed(wants.figure, read.has_figure),
        "cause": float(wants.cause and bool(CAUSE.search(folded))),
        "person": float(wants.person and bool(PERSON.search(folded))),
        "day": float(wants.day and bool(read.times.days or read.times.months or read.times.years)),
        "outlook": _outlook_fit(wants, folded),
        "enumeration": float(wants.listing and bool(ENUMERATION.search(folded))),
        "row": float(unit.row is not None),
        "row_unasked": float(
            unit.row is not None and (wants.cause or wants.person or wants.place or wants.outlook)
        ),
        "row_beside": float(unit.row is not None and not asked.metrics and not asked.items),
        "no_heads": float(unit.row is not None and not any(c.column for c in unit.row.cells)),
        "question": float(folded.rstrip("\"' ").endswith("?")),
        "boilerplate": float(bool(BOILERPLATE.search(folded))),
        "bare": float(unit.row is not None and bool(_BARE_LABEL.search(_label(unit)))),
        "anaphor": float(is_anaphoric(unit.shown)),
        "short": float(unit.row is None and len(unit.shown) < 45),
        "long": min(1.0, max(0.0, (len(unit.shown) - 300) / 400)),
        "position": 1 / (1 + 0.2 * (int(candidate.offered.reference[1:]) - 1)),
        "company": _company_fit(asked, candidate.offered),
    }
    if asked.months and read.times.months:
        found["month"] = 1.0 if asked.months & read.times.months else -1.0
    found.update(_period_fit(asked, header, read, newest))
    return found


def _signed(asked: bool, there: bool) -> float:
    return (1.0 if there else -1.0) if asked else 0.0


def _outlook_fit(wants: AskedFor, folded: str) -> float:
    ahead = bool(OUTLOOK.search(folded))
    if wants.outlook:
        return 1.0 if ahead else 0.0
    return -0.5 if ahead and not wants.cause else 0.0


def _metric_fit(asked: Question, unit: Unit, read: Read) -> float:
    """1 for a row whose label is a line item asked for; less for a part; below 0 for another."""
    if unit.row is not None and not read.metrics and _is_named(unit, asked):
        return 1.0
    if not asked.metrics and not asked.items:
        return 0.0
    named = 1.0 if asked.metrics & read.metrics else 0.0
    if unit.row is None:
        if named:
            return 0.8
        return 0.5 if any(words and words <= read.stems for _, words in asked.items) else -0.3
    label = (
        frozenset(map(stem, re.findall(r"[a-z]+", re.sub(r"\(.*?\)", "", _label(unit).lower()))))
        - _LABEL_FILL
    )
    best = named * 0.7
    for place, (_, words) in enumerate(asked.items):
        if words and label:
            shared = len(words & label) / len(words | label)
            if words <= label or shared >= 0.6:
                best = max(best, (0.6 + 0.4 * shared) * (1 - 0.04 * min(place, 8)))
    return best or -0.6


def _is_named(unit: Unit, asked: Question) -> bool:
    """Whether the question has the row's label: "net sales of the Breakfast segment"."""
    label = frozenset(content(_label(unit)))
    return bool(label) and label <= frozenset(asked.stems)


def _label(unit: Unit) -> str:
    """With its group's words where it says nothing by itself."""
    return unit.shown.split(" | ", 1)[0]


_LABEL_FILL = frozenset(map(stem, STOP)) | {"total", "consolidat", "net", "note", "paid", "and"}


def _period_fit(asked: Question, header: Header, read: Read, newest: int) -> dict[str, float]:
    """By the sentence's or the columns' own periods, and by the document's.

    A document of the year after holds the asked year's figures too, as columns and comparisons.
    """
    own, year = read.times, header.fiscal_year
    fits = {"year": 0.0, "document_year": 0.0, "quarter": 0.0, "recent": 0.0}
    if asked.years:
        if own.years and not (asked.wants.outlook and not own.years & asked.years):
            fits["year"] = 1.0 if asked.years & own.years else -1.0
        if year:
            near = min(abs(year - each) for each in asked.years)
            fits["document_year"] = 1.0 if not near else -min(1.0, near / 2)
            if year - 1 in asked.years:
                fits["document_year"] = 0.2
            elif asked.wants.outlook and year + 1 in asked.years:
                # What a year is expected to be is told in the year before.
                fits["document_year"] = 1.0
    elif year and newest:
        fits["recent"] = -min(1.0, (newest - year) / 4)
    wanted = {q for _, q in asked.quarters} | asked.bare_quarters
    if wanted:
        if own.quarters:
            fits["quarter"] = 1.0 if wanted & own.quarters else -1.0
        elif header.fiscal_quarter:
            fits["quarter"] = 1.0 if header.fiscal_quarter in wanted else -1.0
        elif header.kind == "annual_report":
            fits["quarter"] = -0.5
    elif asked.years and own.quarters and not asked.temporal:
        fits["quarter"] = -0.5
    return fits


def _company_fit(asked: Question, offered: Offered) -> float:
    if asked.companies:
        return 1.0 if offered.company_id in asked.companies else -1.0
    names = (offered.source.header.company.split(" ")[0], *offered.source.header.names)
    return 1.0 if any(len(name) > 2 and name in asked.text for name in names) else 0.0


def is_anaphoric(text: str) -> bool:
    """Whether a sentence needs the one before it: "The decrease was due to …"."""
    return bool(_ANAPHOR.match(text))


def says_cause(text: str) -> bool:
    """Whether it has the words of a cause: "because", "driven by"."""
    return bool(CAUSE.search(fold(text)))


def explains(text: str, wants: AskedFor) -> bool:
    """Whether it holds a cause or a person, where that is what is asked for."""
    folded = fold(text)
    return (wants.cause and bool(CAUSE.search(folded))) or (
        wants.person and bool(PERSON.search(folded))
    )
