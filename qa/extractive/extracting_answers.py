"""An answer without a language model: the sentences and rows that answer best, word for word.

Trap: they stand as their documents have them, so "we" is the company's own word.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from qa.asked import Asked
from qa.checking.quoting import fold
from qa.checking.wording import content, stem
from qa.extractive.asked_kinds import AskedFor, asked_for
from qa.extractive.quoting_units import substantial_quote
from qa.extractive.scoring_units import Ranked, log_odds, rank
from qa.extractive.unit_features import explains, is_anaphoric, says_cause
from qa.offering import Offered
from qa.verifying import Drafted

FACTUAL_SENTENCES = 6
SYNTHESIS_SENTENCES = 12
LONGEST_ANSWER = 14
# Those that stand in where a chosen one does not verify.
SPARES = 4
# A sentence that needs its neighbour comes with it, beyond those.
COMPANIONS = 2
# What explains a thing mostly stands behind it.
COMPANIONS_OF_CAUSES = 4
# Off the log odds of a unit for each that is chosen of its group already.
CROWDED = {"": 0.0, "company": 3.0, "period": 1.0}
# The first of a company or period may be so much further below.
FIRST_OF_GROUP = 1.2
# The same line item of several filings repeats itself.
ROWS_OF_ONE_LABEL = 2
ROWS_BESIDE_CAUSES = 1
# "We sell through three segments." is followed by them.
_ANNOUNCED = re.compile(
    r"\b(?P<number>two|three|four|five|six|[2-6])\s(?:[\w-]+\s){0,3}?(?P<what>[a-z-]+s)\b", re.I
)
_NUMBERS = {"two": 2, "three": 3, "four": 4, "five": 5, "six": 6}
# What is further below the best in log odds says little.
FARTHEST = 4.0
FEWEST_SYNTHESIS = 5
SAME_WORDS = 0.8


@dataclass(frozen=True, slots=True)
class Extract:
    """A verbatim sentence under the name of its group (a company, a period, or none).

    A spare one is shown only in the place of one that does not verify.
    """

    drafted: Drafted
    group: str
    ranked: Ranked
    spare: bool = False


def extract(
    question: str,
    understanding: Asked | None,
    offered: Sequence[Offered],
    *,
    route: str,
    spares: int = SPARES,
) -> list[Extract]:
    """The best sentences in the order to be shown, then so many spare ones."""
    ranked = [each for each in rank(question, understanding, offered) if each.unit.shown]
    if not ranked:
        return []
    by = _grouping(understanding)
    most = FACTUAL_SENTENCES if route == "factual" else SYNTHESIS_SENTENCES
    chosen, spare = _best(ranked, by, most, spares, asked_for(question), content(question))
    return [
        Extract(_draft(each), _group(each.offered, by), each, spare=each in spare)
        for each in [*chosen, *spare]
    ]


def put_first(chosen: Extract, extracts: Sequence[Extract]) -> list[Extract]:
    """The chosen one before all others, behind the sentence that it leans on if that is shown."""
    ranked, rest = chosen.ranked, [each for each in extracts if each is not chosen]
    leads = (
        [each for each in rest if not each.spare and each.ranked.place == ranked.leans_on]
        if ranked.leans_on is not None
        else []
    )
    return [*leads, replace(chosen, spare=False), *(each for each in rest if each not in leads)]


def _grouping(understanding: Asked | None) -> str:
    if understanding is None:
        return ""
    if understanding.comparison and len(understanding.companies) != 1:
        return "company"
    return "period" if understanding.temporal else ""


def _group(offered: Offered, by: str) -> str:
    if by == "company":
        return offered.source.header.company or offered.title
    return (offered.period or str(offered.published_on or "")) if by == "period" else ""


def _order(offered: Offered, by: str) -> tuple[object, ...]:
    header = offered.source.header
    if by == "period":
        day = offered.published_on.isoformat() if offered.published_on else ""
        return (header.fiscal_year or 0, header.fiscal_quarter or 5, day)
    return (header.company,)


def _best(  # noqa: PLR0917
    ranked: Sequence[Ranked],
    by: str,
    most: int,
    spares: int,
    wants: AskedFor,
    asked: Collection[str],
) -> tuple[list[Ranked], list[Ranked]]:
    """The best first, each with the neighbours that it leans on or announces; and the next best.

    Each next one of a group comes later. Groups are put in order.
    """
    choice = _Choice(ranked, by, most, wants, asked)
    spare: list[Ranked] = []
    while len(spare) < spares and (each := choice.next()) is not None:
        if _is_said(each, [*choice.chosen, *spare]) or _is_one_row_more(each, choice.chosen, wants):
            continue
        if choice.has_room(each):
            choice.take(each)
        else:
            spare.append(each)
    chosen = choice.chosen
    if by:
        chosen.sort(key=lambda each: _order(each.offered, by))
    return chosen, spare


class _Choice:
    """What is chosen so far, and what of the rest is worth most beside it."""

    def __init__(
        self, ranked: Sequence[Ranked], by: str, most: int, wants: AskedFor, asked: Collection[str]
    ) -> None:
        self.chosen: list[Ranked] = []
        self._by, self._most, self._wants, self._asked = by, most, wants, asked
        self._by_place = {each.place: each for each in ranked}
        self._left = list(ranked)
        self._told: Counter[str] = Counter()
        self._companions = 0
        wide = most >= SYNTHESIS_SENTENCES
        self._fewest = FEWEST_SYNTHESIS if wide else 1
        self._least = log_odds(ranked[0].score) - FARTHEST

    def next(self) -> Ranked | None:
        if not self._left:
            return None
        at = max(range(len(self._left)), key=lambda i: self._value(self._left[i]))
        return self._left.pop(at)

    def _value(self, each: Ranked) -> float:
        return log_odds(each.score) - CROWDED[self._by] * self._told[_group(each.offered, self._by)]

    def has_room(self, each: Ranked) -> bool:
        full = len(self.chosen) >= LONGEST_ANSWER
        if full or len(self.chosen) - self._companions >= self._most:
            return False
        first = self._by and not self._told[_group(each.offered, self._by)]
        least = self._least - (FIRST_OF_GROUP if first else 0.0)
        return log_odds(each.score) >= least or len(self.chosen) < self._fewest

    def take(self, each: Ranked) -> None:
        """With the neighbours that it needs, as far as there is room for them."""
        self._told[_group(each.offered, self._by)] += 1
        room = COMPANIONS_OF_CAUSES if self._wants.cause else COMPANIONS
        before, after = _companions(each, self._by_place, self._wants)
        for one in (before, each, after):
            if one is None or (one is not each and self._companions >= room):
                continue
            if one is each or not _is_said(one, self.chosen):
                self.chosen.append(one)
                self._companions += one is not each
        if not self._by:
            listed = _announced(each, self._by_place, self._wants, self._asked)
            listed = [one for one in listed if one not in self.chosen]
            self.chosen += listed
            self._companions += len(listed)


def _announced(
    each: Ranked, by_place: dict[int, Ranked], wants: AskedFor, asked: Collection[str]
) -> list[Ranked]:
    """The sentences behind one that says how many there are of the things asked for."""
    told = _ANNOUNCED.search(each.unit.shown) if wants.listing and each.unit.row is None else None
    if told is None or stem(told["what"]) not in asked:
        return []
    number = _NUMBERS.get(told["number"].lower()) or int(told["number"])
    found: list[Ranked] = []
    for place in range(each.place + 1, each.place + 1 + number):
        after = by_place.get(place)
        if after is None or after.offered is not each.offered or after.unit.row is not None:
            break
        found.append(after)
    return found


def _companions(
    each: Ranked, by_place: dict[int, Ranked], wants: AskedFor
) -> tuple[Ranked | None, Ranked | None]:
    """The sentence before that names what this one tells of; the one behind that explains it."""
    before = by_place.get(each.leans_on) if each.leans_on is not None else None
    after = by_place.get(each.place + 1)
    if after is None or each.unit.row is not None or after.unit.row is not None:
        return before, None
    follows = after.offered is each.offered and 0 <= after.unit.start - each.unit.end <= 4
    told = wants.cause and not says_cause(each.unit.shown)
    explained = explains(after.unit.shown, wants) and not explains(each.unit.shown, wants)
    if follows and (told or explained or is_anaphoric(after.unit.shown)):
        return before, after
    return before, None


def _is_one_row_more(each: Ranked, chosen: Sequence[Ranked], wants: AskedFor) -> bool:
    """Whether rows enough of its label are there, or of any where a cause is asked for."""
    if each.unit.row is None:
        return False
    rows = [other for other in chosen if other.unit.row is not None]
    if wants.cause and len(rows) >= ROWS_BESIDE_CAUSES:
        return True
    label = _label(each)
    return sum(_label(other) == label for other in rows) >= ROWS_OF_ONE_LABEL


def _label(each: Ranked) -> str:
    return fold(each.unit.shown).lower().split(" | ", 1)[0]


def _is_said(each: Ranked, chosen: Sequence[Ranked]) -> bool:
    """Whether nearly all its words, and all its figures, are in one that is chosen."""
    words, figures = _words(each)
    for other in chosen:
        if other.offered.company_id != each.offered.company_id:
            continue
        there, said = _words(other)
        if figures <= said and len(words & there) >= SAME_WORDS * min(len(words), len(there)):
            return True
    return False


def _words(each: Ranked) -> tuple[frozenset[str], frozenset[str]]:
    """All of them, and those with a digit but for the years of columns."""
    text = fold(each.unit.shown).lower()
    words = frozenset(text.split())
    if each.unit.row is not None:
        text = " ".join(cell.text for cell in each.unit.row.cells)
    figures = re.findall(r"\d[\d.,]*", text)
    return words, frozenset(figure.rstrip(".,") for figure in figures)


def _draft(each: Ranked) -> Drafted:
    text, unit, reference = each.offered.source.text, each.unit, each.offered.reference
    quotes = [text[unit.start : unit.end]]
    if unit.group is not None:
        group = text[slice(*unit.group)].strip()
        shown = unit.shown.startswith(" ".join(group.split()).rstrip(":"))
        if shown and unit.row is None:
            quotes = [text[unit.group[0] : unit.end].strip()]
        elif shown:
            quotes.append(group)
    if unit.row is not None:
        quotes[0] = substantial_quote(each.offered.source, unit)
    return Drafted(unit.shown, tuple((reference, quote) for quote in quotes))
