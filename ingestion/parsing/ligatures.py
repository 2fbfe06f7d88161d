"""Guesses the ligature behind a glyph without a Unicode value, by words of business English."""

from __future__ import annotations

import re
from collections.abc import Set as AbstractSet

_LIGATURES = ("fi", "ff", "fl", "ffi", "ffl")
# Frequent words with f-ligatures; a word that is not here stays marked as unreadable.
_WORDS = frozenset(
    re.findall(
        r"\w+",
        """
    affect affected affecting affects affiliate affiliated affiliates affordable artificial
    beneficial benefit benefited benefits certified classification classified coefficient confident
    confidence confidential configuration confirm confirmed conflict conflicts defined deficiency
    deficit definite definition deflation differ difference differences different difficult
    diversified effect effective effectively effects efficiency efficient effort efforts fiber field
    fifteen fifth fifty fight figure figures file filed files filing filings fill final finally
    finance financed finances financial financially financing find finding fine finish finished fire
    firm firms first fiscal fit five fix fixed fleet flexibility flexible flight float floating
    floor flow flows fluctuate fluctuation fluctuations fluid fulfill identifiable identification
    identified identify inefficient inflation inflationary inflow inflows influence influenced
    insufficient justified modification modified modify notification notified off offer offered
    offering offerings offers office officer officers offices official offset offsets offsetting
    outflow outflows payoff profit profitability profitable profits qualified qualify ratified
    reaffirm reclassified refine reflect reflected reflecting reflects satisfied scientific
    significance significant significantly simplified specific specifically specification
    specified staff staffing sufficient sufficiently suffered tariff tariffs traffic unaffiliated
    unified verified verify workflow
    """,
    )
)


def restore(before: str, after: str, page_words: AbstractSet[str]) -> str:
    """The ligature that makes a known word of the letters around it; U+FFFD when none does."""
    for known in (page_words, _WORDS):
        for ligature in _LIGATURES:
            if (before + ligature + after).casefold() in known:
                return ligature
    return "\ufffd"
