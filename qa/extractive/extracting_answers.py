"""An answer without a language model: the sentences and rows that answer best, word for word.

Trap: they stand as their documents have them, so "we" is the company's own word.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from qa.asked import Asked
from qa.checking.quoting import fold
from qa.checking.table_heads import line_at
from qa.checking.wording import content, stem
from qa.extractive.asked_kinds import AskedFor, asked_for
from qa.extractive.scoring_units import Ranked, rank
from qa.extractive.unit_features import explains, is_anaphoric, says_cause
from qa.offering import Offered
from qa.verifying import Drafted, is_substantial

FACTUAL_SENTENCES = 4
LIST_SENTENCES = 6
SYNTHESIS_SENTENCES = 8
# Those that stand in where a chosen one does not verify.
SPARES = 4
# A sentence that needs its neighbour comes with it, beyond those.
COMPANIONS = 2
# What explains a thing mostly stands behind it.
COMPANIONS_OF_CAUSES = 4
PER_GROUP = 2
# The same line item of several filings repeats itself.
ROWS_OF_ONE_LABEL = 2
ROWS_BESIDE_CAUSES = 1
# "We sell through three segments." is followed by them.
_ANNOUNCED = re.compile(
    r"\b(?P<number>two|three|four|five|six|[2-6])\s(?:[\w-]+\s){0,3}?(?P<what>[a-z-]+s)\b"
)
_NUMBERS = {"two": 2, "three": 3, "four": 4, "five": 5, "six": 6}
# Of the best score; what lies below says little. A wide question has many small answers.
LEAST_SHARE_FACTUAL = 0.03
LEAST_SHARE_SYNTHESIS = 0.01
SAME_WORDS = 0.8
LONGEST_QUOTE = 600


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
    question: str, understanding: Asked | None, offered: Sequence[Offered], *, route: str
) -> list[Extract]:
    """The best sentences in the order to be shown, then some spare ones."""
    ranked = [each for each in rank(question, understanding, offered) if each.unit.shown]
    if not ranked:
        return []
    by = _grouping(understanding)
    most = _most(question, route)
    if by:
        chosen, spare = _grouped(ranked, by, most), list[Ranked]()
    else:
        chosen, spare = _best(ranked, most, asked_for(question), content(question))
    return [
        Extract(_draft(each), _group(each.offered, by), each, spare=each in spare)
        for each in [*chosen, *spare]
    ]


def _most(question: str, route: str) -> int:
    if route != "factual":
        return SYNTHESIS_SENTENCES
    return LIST_SENTENCES if asked_for(question).listing else FACTUAL_SENTENCES


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


def _best(
    ranked: Sequence[Ranked], most: int, wants: AskedFor, asked: Collection[str]
) -> tuple[list[Ranked], list[Ranked]]:
    """The best first, each with the neighbours that it leans on or announces; and the next best."""
    share = LEAST_SHARE_SYNTHESIS if most == SYNTHESIS_SENTENCES else LEAST_SHARE_FACTUAL
    least = ranked[0].score * share
    by_place = {each.place: each for each in ranked}
    room = COMPANIONS_OF_CAUSES if wants.cause else COMPANIONS
    chosen: list[Ranked] = []
    spare: list[Ranked] = []
    companions = 0
    for each in ranked:
        if _is_said(each, chosen) or _is_one_row_more(each, chosen, wants):
            continue
        if len(chosen) - companions >= most or (each.score < least and chosen):
            spare.append(each)
            if len(spare) >= SPARES:
                break
            continue
        before, after = _companions(each, by_place, wants)
        for one in (before, each, after):
            if one is None or (one is not each and companions >= room):
                continue
            if one is each or not _is_said(one, chosen):
                chosen.append(one)
                companions += one is not each
        listed = [one for one in _announced(each, by_place, wants, asked) if one not in chosen]
        chosen += listed
        companions += len(listed)
    return chosen, spare


def _announced(
    each: Ranked, by_place: dict[int, Ranked], wants: AskedFor, asked: Collection[str]
) -> list[Ranked]:
    """The sentences behind one that says how many there are of the things asked for."""
    told = _ANNOUNCED.search(each.unit.shown) if wants.listing and each.unit.row is None else None
    if told is None or stem(told["what"]) not in asked:
        return []
    number = _NUMBERS.get(told["number"]) or int(told["number"])
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


def _grouped(ranked: Sequence[Ranked], by: str, most: int) -> list[Ranked]:
    """The best few of each group, groups in the order of time or of names."""
    groups: dict[str, list[Ranked]] = {}
    for each in ranked:
        group = groups.setdefault(_group(each.offered, by), [])
        if len(group) < PER_GROUP and not _is_said(each, [e for g in groups.values() for e in g]):
            group.append(each)
    filled = sorted((g for g in groups.values() if g), key=lambda g: -g[0].score)
    least = ranked[0].score * LEAST_SHARE_SYNTHESIS
    kept = [g for g in filled[: most // PER_GROUP + 1] if g[0].score >= least]
    kept.sort(key=lambda g: _order(g[0].offered, by))
    return [each for group in kept for each in group][: most + PER_GROUP]


def _is_said(each: Ranked, chosen: Sequence[Ranked]) -> bool:
    """Whether nearly all its words, and all its figures, are in one that is chosen."""
    words, figures = _words(each)
    for other in chosen:
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
    if unit.row is not None and not is_substantial(quotes[0]):
        quotes[0] = _with_lines_above(each, quotes[0])
    return Drafted(unit.shown, tuple((reference, quote) for quote in quotes))


def _with_lines_above(each: Ranked, quote: str) -> str:
    """ "Other | 8 | 9" proves nothing by itself: the lines before it come too."""
    source, low = each.offered.source, each.unit.start
    while low > source.start and each.unit.end - low < LONGEST_QUOTE:
        low = max(source.start, line_at(source.text, low - 1)[0])
        if is_substantial(source.text[low : each.unit.end]):
            return source.text[low : each.unit.end].strip()
    return quote
