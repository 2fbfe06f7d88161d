"""An answer without a language model: the sentences and rows that answer best, word for word.

Trap: they stand as their documents have them, so "we" is the company's own word.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from qa.asked import Asked
from qa.checking.quoting import fold
from qa.offering import Offered
from qa.scoring_units import Ranked, is_anaphoric, rank
from qa.verifying import Drafted

FACTUAL_SENTENCES = 5
SYNTHESIS_SENTENCES = 8
PER_GROUP = 2
# Of the best score; what lies below says little.
LEAST_SHARE_OF_BEST = 0.55
SAME_WORDS = 0.8


@dataclass(frozen=True, slots=True)
class Extract:
    """A verbatim sentence under the name of its group (a company, a period, or none)."""

    drafted: Drafted
    group: str
    ranked: Ranked


def extract(
    question: str, understanding: Asked | None, offered: Sequence[Offered], *, route: str
) -> list[Extract]:
    """The best sentences in the order to be shown."""
    ranked = [each for each in rank(question, understanding, offered) if each.unit.shown]
    if not ranked:
        return []
    by = _grouping(understanding)
    most = FACTUAL_SENTENCES if route == "factual" else SYNTHESIS_SENTENCES
    chosen = _grouped(ranked, by, most) if by else _best(ranked, most)
    return [Extract(_draft(each), _group(each.offered, by), each) for each in chosen]


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


def _best(ranked: Sequence[Ranked], most: int) -> list[Ranked]:
    least = ranked[0].score * LEAST_SHARE_OF_BEST
    chosen: list[Ranked] = []
    for each in ranked:
        if len(chosen) >= most or (each.score < least and chosen):
            break
        if not _is_said(each, chosen):
            chosen.append(each)
            follower = _companion(each, ranked)
            if follower is not None and len(chosen) < most and not _is_said(follower, chosen):
                chosen.append(follower)
    return chosen


def _companion(each: Ranked, ranked: Sequence[Ranked]) -> Ranked | None:
    """The sentence right behind that begins with "The decrease …", or right before such a one."""
    document = each.offered.source.document_id
    near = [r for r in ranked if r.offered.source.document_id == document]
    if is_anaphoric(each.unit.shown):
        before = [r for r in near if r.unit.end <= each.unit.start < r.unit.end + 4]
        return before[0] if before else None
    behind = [r for r in near if each.unit.end <= r.unit.start < each.unit.end + 4]
    return behind[0] if behind and is_anaphoric(behind[0].unit.shown) else None


def _grouped(ranked: Sequence[Ranked], by: str, most: int) -> list[Ranked]:
    """The best few of each group, groups in the order of time or of names."""
    groups: dict[str, list[Ranked]] = {}
    for each in ranked:
        group = groups.setdefault(_group(each.offered, by), [])
        if len(group) < PER_GROUP and not _is_said(each, [e for g in groups.values() for e in g]):
            group.append(each)
    filled = sorted((g for g in groups.values() if g), key=lambda g: -g[0].score)
    least = ranked[0].score * LEAST_SHARE_OF_BEST
    kept = [g for g in filled[: most // PER_GROUP + 1] if g[0].score >= least]
    kept.sort(key=lambda g: _order(g[0].offered, by))
    return [each for group in kept for each in group][: most + PER_GROUP]


def _is_said(each: Ranked, chosen: Sequence[Ranked]) -> bool:
    words = set(fold(each.unit.shown).lower().split())
    for other in chosen:
        there = set(fold(other.unit.shown).lower().split())
        if len(words & there) >= SAME_WORDS * min(len(words), len(there)):
            return True
    return False


def _draft(each: Ranked) -> Drafted:
    source = each.offered.source
    quote = source.text[each.unit.start : each.unit.end]
    return Drafted(each.unit.shown, ((each.offered.reference, quote),))
