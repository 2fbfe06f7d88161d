"""The order in which ranked documents are shown: near the ranking, but not all of one kind."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

# No more of one company or source among so many cards in a row.
MOST, AMONG = 3, 10
# A company, if there is one, and a source.
Origin = tuple[int | None, int]


def arrange(
    ranked: Sequence[Origin],
    count: int,
    before: Sequence[Origin] = (),
    *,
    companies: bool = True,
    sources: bool = True,
) -> list[int]:
    """Places in `ranked` of the next `count` to show, best first; `before` are shown already.

    A document that would be the fourth of its company or source among ten in a row waits. Where all
    that is left would, the best that breaks the fewest rules is shown. A rule is switched off where
    the reader has chosen a company or a source.
    """
    shown = list(before)
    left = list(range(len(ranked)))
    chosen: list[int] = []
    while left and len(chosen) < count:
        recent = shown[-(AMONG - 1) :]
        broken = ((at, _broken(ranked[at], recent, companies, sources)) for at in left)
        best = _fewest(broken)
        left.remove(best)
        chosen.append(best)
        shown.append(ranked[best])
    return chosen


def _fewest(broken: Iterable[tuple[int, int]]) -> int:
    """The first place that breaks no rule, which is most often the very first; else the fewest."""
    looked_at = []
    for at, rules in broken:
        if not rules:
            return at
        looked_at.append((rules, at))
    return min(looked_at)[1]


def _broken(origin: Origin, recent: Sequence[Origin], companies: bool, sources: bool) -> int:
    """How many rules it would break; that of companies weighs more than that of sources."""
    company, source = origin
    same_company = company is not None and sum(c == company for c, _ in recent) >= MOST
    same_source = sum(s == source for _, s in recent) >= MOST
    return 2 * (companies and same_company) + (sources and same_source)
