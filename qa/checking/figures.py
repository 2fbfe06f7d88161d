"""Whether each figure of a sentence stands in a quote, said of the same thing; pure.

The same thing: unit, currency, scale, sign, metric, company, year, bound ("more than") and what is
counted. Answers are reasons in words, or None.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from ingestion.recognising.mention import Found
from ingestion.recognising.metrics import metrics
from qa.checking.evidence import Evidence, Figure, Times, figures, times
from qa.checking.quantities import Quantity, fractions, is_rounded, scaled
from qa.checking.wording import (
    BOUND_DOWN,
    BOUND_UP,
    clauses,
    content,
    directions,
    says_the_same,
    stem,
    words,
)

_SCALE = re.compile(r"\bin\s+(thousands|millions|billions)\b", re.IGNORECASE)
_DURATION = re.compile(r"[\s-]*(?:mo\b|months?|weeks?|days?|quarters?)")
_POWER = {"thousands": 3, "millions": 6, "billions": 9}
_OUTWARD = re.compile(
    r"purchas|payment|repurchas|acqui|dividend|expense|cost|tax|repay|used|loss|capital|addition|"
    r"outflow|decreas|declin|fell|drop|negative|deficit|spen[dt]|charge|paid|lower|down|reduc",
    re.I,
)
_OUTFLOW = re.compile(
    r"^(?!.*(?:\(loss|income\b(?! tax))).*(?:purchas|payment|repurchas|acqui|dividend|expense|cost|"
    r"tax|repay|capital|addition|used|charge)",
    re.I,
)
_COMPARES = re.compile(
    r"\b(?:compared\s+(?:with|to)|versus|vs\.?|against|as\s+against|up\s+from|down\s+from|from|than)\b",
    re.I,
)
_AN_EARLIER_YEAR = re.compile(
    r"\b(?:(?:a|one)\s+year\s+(?:earlier|ago|before)|(?:last|prior|previous|preceding)(?:[\s-]|\s+fiscal\s+)year)",
    re.I,
)
# "$5.1 million of quarterly free cash flow"
_FOLLOWS = re.compile(r"\s+(?:of|in)\s+(?:[\w'-]+\s+){0,3}", re.I)
_ADJUSTED = re.compile(
    r"\b(?:adjusted|adj\.|non-gaap|core|underlying|pro[\s-]forma|organic)\s*$", re.I
)
_QUALIFIED = re.compile(r"\b(?:adjusted|adj\.|non-gaap|core|underlying|pro[\s-]forma)\b", re.I)


@dataclass
class Claim:
    """A folded sentence, read once."""

    text: str

    @cached_property
    def figures(self) -> list[Quantity]:
        found = [each for each in figures(self.text) if not each.is_year or self._is_counted(each)]
        if self.power is None:
            return found
        return [self._scaled(each, self.power) for each in found]

    def _scaled(self, quantity: Quantity, power: int) -> Quantity:
        """In the table's scale, but for what has its own, and for "3 mo."."""
        own = quantity.scaled or quantity.unit not in ("count", "money")
        return (
            quantity
            if own or _DURATION.match(self.text[quantity.end :])
            else scaled(quantity, power)
        )

    def _is_counted(self, quantity: Quantity) -> bool:
        return not any(low <= quantity.start < high for low, high in self.times.spans)

    @cached_property
    def power(self) -> int | None:
        """The power of ten of "in millions", where the sentence says so of its figures."""
        said = _SCALE.search(self.text)
        return _POWER[said[1].lower()] if said else None

    @cached_property
    def times(self) -> Times:
        return times(self.text)

    @cached_property
    def metrics(self) -> list[Found]:
        return list(metrics(self.text))


def unbacked_figure(claim: Claim, evidence: Sequence[Evidence]) -> str | None:
    """Why the first figure that no quote backs is refused."""
    for quantity in claim.figures:
        shown = _shown(claim.text, quantity)
        equal = [(e, f) for e in evidence for f in e.figures if _equals(claim, quantity, f)]
        if not equal and quantity.unit == "odd":
            equal = [(e, Figure(quantity, e.quote.find(quantity.surface))) for e in evidence
                     if _stands(quantity.surface, e.quote)]  # fmt: skip
            if equal:
                continue
        if not equal:
            return f"no quote has the figure {shown}"
        if any(f.offset < 0 for _, f in equal):
            continue
        for name, agrees in _AGREEMENTS:
            equal = [(e, f) for e, f in equal if agrees(claim, quantity, e, f, evidence)]
            if not equal:
                return f"in its quotes {shown} {name}"
    missing = fractions(claim.text) - {f for e in evidence for f in fractions(e.quote)}
    return f"no quote has the share “{sorted(missing)[0]}”" if missing else None


def _shown(text: str, quantity: Quantity) -> str:
    return f"“{text[quantity.start : quantity.end].strip()[:40]}”"


def _stands(token: str, text: str) -> bool:
    return bool(re.search(rf"(?<![\w.,]){re.escape(token)}(?![\w]|[.,]\d)", text))


def _equals(claim: Claim, said: Quantity, figure: Figure) -> bool:
    """Same value, unit, currency and sign."""
    held = figure.quantity
    if figure.offset < 0 and not _DURATION.match(claim.text[said.end :]):
        return False
    if "odd" in (said.unit, held.unit):
        return said.unit == held.unit and said.surface == held.surface
    if not is_rounded(said, held.amount) or not _same_unit(claim, said, figure):
        return False
    if said.amount < 0 < held.amount:
        return bool(re.search(r"loss|deficit|declin|decreas|negative|outflow", figure.label, re.I))
    if held.amount < 0 < said.amount:
        outward = _OUTWARD.search(claim.text) or _OUTFLOW.search(figure.label)
        return bool(outward) or ("|" in claim.text and _echoes(claim, figure))
    return True


def _echoes(claim: Claim, figure: Figure) -> bool:
    return f"({figure.quantity.surface}" in claim.text


def _same_unit(claim: Claim, said: Quantity, figure: Figure) -> bool:
    held = figure.quantity
    if said.unit == held.unit == "money":
        return said.currency == held.currency
    if said.unit == held.unit:
        return True
    if not figure.in_row:
        return False
    if said.unit == "money" and held.unit == "count":
        return said.currency == figure.currency
    if said.unit == "percent" and held.unit == "count":
        return figure.percent_label
    return said.unit == "count" and held.unit == "money" and "|" in claim.text


# Each answers whether the figure is said of the same thing; the words complete a reason.


def _of_metric(
    claim: Claim, said: Quantity, e: Evidence, figure: Figure, _: Sequence[Evidence]
) -> bool:
    wanted = _nearest_before(claim.metrics, said.start)
    if wanted is None:
        return True
    if figure.in_row:
        held = list(metrics(figure.label))
        if held:
            return _is_metric(wanted, claim.text, held, figure.label)
        there = set(content(claim.text))
        label = content(figure.label)
        return bool(label) and sum(each in there for each in label) * 2 >= len(label)
    before = _nearest_before(e.metrics, figure.offset)
    after = next((m for m in e.metrics if m.start >= figure.offset), None)
    if before and after and not _FOLLOWS.fullmatch(e.quote[figure.quantity.end : after.start]):
        after = None
    held = [m for m in (before, after) if m is not None]
    return not held or _is_metric(wanted, claim.text, held, e.quote)


def _is_metric(wanted: Found, claim: str, held: Sequence[Found], text: str) -> bool:
    said = claim[wanted.start : wanted.end]
    for each in held:
        surface = text[each.start : each.end]
        if each.name != wanted.name:
            continue
        losses = "loss" in said.lower(), "loss" in surface.lower()
        if losses[0] != losses[1] and "(loss)" not in text.lower():
            continue
        if _is_adjusted(claim, wanted) != _is_adjusted(text, each):
            continue
        return True
    return False


def _is_adjusted(text: str, metric: Found) -> bool:
    before = text[max(0, metric.start - 24) : metric.start]
    return bool(_ADJUSTED.search(before) or _QUALIFIED.search(text[metric.start : metric.end]))


def _nearest_before(found: Sequence[Found], offset: int) -> Found | None:
    before = [each for each in found if each.end <= offset]
    return before[-1] if before else None


def _of_year(
    claim: Claim, said: Quantity, e: Evidence, figure: Figure, _: Sequence[Evidence]
) -> bool:
    wanted = _year_of(claim.text, claim.times, said.start, said.end)
    if wanted is None:
        return not _is_of_before(claim, said, e, figure)
    if figure.in_row:
        return not figure.years or wanted in figure.years
    at = figure.offset
    held = _year_of(e.quote, e.times, at, figure.quantity.end)
    if held is not None:
        return held == wanted
    own = e.source.header.fiscal_year
    if _is_compared(e.quote, at) and _AN_EARLIER_YEAR.search(e.quote, max(0, at - 60)):
        return own is None or wanted == own - 1
    return wanted in e.times.years or own is None or wanted == own


def _is_of_before(claim: Claim, said: Quantity, e: Evidence, figure: Figure) -> bool:
    """Whether a figure of the year before is said as if it were of now: without any year."""
    if claim.times.years or "|" in claim.text or _is_compared(claim.text, said.start):
        return False
    if figure.in_row:
        newest = max((year for f in e.figures for year in f.years), default=0)
        return bool(figure.years) and max(figure.years) < newest
    if not _is_compared(e.quote, figure.offset):
        return False
    held = _year_of(e.quote, e.times, figure.offset, figure.quantity.end)
    after = e.quote[figure.quantity.end : figure.quantity.end + 40]
    return bool(_AN_EARLIER_YEAR.search(after)) or (
        held is not None and held < max(e.times.years, default=0)
    )


def _year_of(text: str, found: Times, start: int, end: int) -> int | None:
    """The year that is said of the figure at `[start, end)`: in its part of the sentence."""
    cuts = [
        0,
        *(m.start() for m in _COMPARES.finditer(text)),
        *(m.start() for m in re.finditer(r";|\s\|\s", text)),
        len(text),
    ]
    cuts.sort()
    low = max(cut for cut in cuts if cut <= start)
    high = min((cut for cut in cuts if cut > start), default=len(text))
    directly = re.match(r"[^\d;]{0,30}?\b(?:in|for|during|at|of|by)\b[^\d;]{0,24}", text[end:high])
    inside = [span for span in found.year_spans if low <= span[0] < high]
    if directly:
        for begin, finish, year in inside:
            if begin <= end + directly.end() <= finish:
                return year
    if not inside:
        return None
    return min(inside, key=lambda span: min(abs(span[1] - start), abs(span[0] - end)))[2]


def _is_compared(text: str, offset: int) -> bool:
    return any(m.start() < offset for m in _COMPARES.finditer(text, max(0, offset - 60), offset))


def _of_company(
    claim: Claim, said: Quantity, e: Evidence, _: Figure, evidence: Sequence[Evidence]
) -> bool:
    """Where several companies are cited, the one named last before the figure must hold it."""
    companies = {each.source.header.company for each in evidence} - {""}
    if len(companies) < 2:
        return True
    at = {
        company: max((m for name in _names(company, evidence) for m in _places(name, claim.text)
                      if m < said.start), default=-1)
        for company in companies
    }  # fmt: skip
    owner = max(at, key=lambda company: at[company])
    return at[owner] < 0 or e.source.header.company in ("", owner)


def _names(company: str, evidence: Sequence[Evidence]) -> list[str]:
    found = {company}
    for each in evidence:
        if each.source.header.company == company:
            found.update(each.source.header.names)
    return [name for name in found | {company.split(maxsplit=1)[0].strip(",.")} if len(name) > 1]


def _places(name: str, text: str) -> list[int]:
    return [m.start() for m in re.finditer(rf"(?<!\w){re.escape(name)}(?!\w)", text)]


def _of_bound(
    claim: Claim, said: Quantity, e: Evidence, figure: Figure, _: Sequence[Evidence]
) -> bool:
    wanted = _bound(claim.text, said.start)
    held = "" if figure.in_row else _bound(e.context, e.context.find(e.quote) + figure.offset)
    if wanted == held or any(wanted in same and held in same for same in (BOUND_UP, BOUND_DOWN)):
        return True
    if not wanted:
        return held.endswith(("at least", "up to"))
    exact = abs(figure.quantity.amount)
    if held:
        return False
    if wanted in BOUND_UP:
        return exact > abs(said.amount) or (wanted == "at least" and exact == abs(said.amount))
    return exact < abs(said.amount) or (wanted == "up to" and exact == abs(said.amount))


def _bound(text: str, offset: int) -> str:
    before = " ".join(text[max(0, offset - 24) : offset].lower().split())
    before = re.sub(r"\s+(?:the|an?|about|approximately)$", "", before.rstrip("$ "))
    for phrase in sorted((*BOUND_UP, *BOUND_DOWN), key=len, reverse=True):
        if before.endswith(phrase) and not before.endswith(f"basis points {phrase}"):
            return phrase
    return ""


def _of_thing(
    claim: Claim, said: Quantity, e: Evidence, figure: Figure, _: Sequence[Evidence]
) -> bool:
    """What is counted ("61,000 pumps") must stand near the figure in the quote."""
    if said.unit not in ("count", "times") or figure.in_row:
        return True
    following = words(claim.text[said.end : said.end + 60])[:4]
    if not following or re.match(r"\s*[,.;)]", claim.text[said.end :]):
        return True
    counted = next((w for w in following if _is_counted_thing(w)), None)
    if counted is None:
        return True
    low, high = max(0, figure.offset - 90), figure.quantity.end + 90
    near = words(e.quote[low:high])
    return any(says_the_same(stem(counted), stem(each)) for each in near)


def _is_counted_thing(word: str) -> bool:
    low = word.lower()
    return low in ("people", "staff", "head") or (
        low.endswith("s") and not low.endswith(("ss", "us", "is", "as")) and len(low) > 3
    )


def _of_subject(
    claim: Claim, said: Quantity, e: Evidence, figure: Figure, _: Sequence[Evidence]
) -> bool:
    """The part of the quote with the figure must share a word, if another part of it does."""
    if figure.in_row:
        return True
    wanted = _subject(claim.text, said.start)
    own = _subject(e.quote, figure.offset)
    if not wanted or not own or _share(wanted, own) or _is_compared(e.quote, figure.offset + 1):
        return True
    others = (content(e.quote[slice(*span)]) for span in clauses(e.quote))
    return not any(_share(wanted, other) for other in others)


def _subject(text: str, offset: int) -> list[str]:
    """What the part of the sentence around this offset speaks of; directions left out."""
    span = next((span for span in clauses(text) if span[0] <= offset < span[1]), (0, len(text)))
    ways = {stem(word) for _, word, _ in directions(text[slice(*span)])}
    return [each for each in content(text[slice(*span)]) if each not in ways]


def _share(one: Sequence[str], other: Sequence[str]) -> bool:
    return any(says_the_same(a, b) for a in one for b in other)


_AGREEMENTS = (
    ("is said of another metric", _of_metric),
    ("is said of something else", _of_subject),
    ("is said of another year", _of_year),
    ("is said of another company", _of_company),
    ("is not bounded so", _of_bound),
    ("counts something else", _of_thing),
)
