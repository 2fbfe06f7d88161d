"""What must agree, to the letter, before one question is given the answer of another.

A wrong repeat is worse than none. So words count as written, in their order: only letter case,
punctuation, articles and polite phrases around the question do not, and where a figure is asked
for, whether its period stands first or last. Stems are not enough: "organic" and "organization"
have one stem, "sale" and "sales" are two things, and "not", "before" and "than" have none.
"""

from __future__ import annotations

import re
from typing import Any

from qa.understanding import Understanding

_PLAIN = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "„": '"', "–": "-", "—": "-"})
# A number with its sign, currency and per cent; a word with inner hyphens, dots and ampersands.
_TOKEN = re.compile(
    r"[+\-(]?[$€£¥]?\d+(?:,\d{3})*(?:\.\d+)?%?(?:[a-z]+\b)?|[^\W_]+(?:[-.&/'+][^\W_]+)*\+*|[%$€£¥&<>=~±]"
)
_ARTICLES = frozenset({"a", "an", "the"})
_POLITE_FIRST = re.compile(
    r"^(?:(?:hi|hello|hey|please|kindly|pls|quick question|excuse me|good morning|"
    r"good afternoon)\b[\s,:!.-]*|"
    r"(?:(?:could|can|would|will) you(?: please| kindly)? )?(?:tell|show|give) me[\s,:]+"
    r"(?=what|how|which|who|when|where|why))+"
)
_POLITE_LAST = re.compile(
    r"(?:[\s,.!?-]+(?:please|pls|thanks|thank you|many thanks|thanks in advance|thx))+[\s.!?]*$"
)
_POSSESSIVE = re.compile(r"'s?$")
# Words that look ahead: "in 2022" then may belong to them rather than to the figure.
_OUTLOOK = re.compile(
    r"\b(?:guid|expect|forecast|outlook|plan|target|project|estimat|predict|anticipat|announc|"
    r"said|say|report|disclos|state)\w*"
)
LOOSE_S = "s"  # of a company whose name was cut out
_LEADING = ("in", "for", "during")


def agreement(understanding: Understanding, route: str) -> dict[str, Any]:
    """Everything of the question itself that must be the same, as JSON.

    What is searched for besides follows from the words and from what was learned of the corpus;
    learning anew makes no other question of it.
    """
    return {
        "words": words(understanding, route),
        "quoted": re.findall(r'"([^"]*)"', understanding.question.translate(_PLAIN)),
        "companies": [company.id for company in understanding.companies],
        "periods": [
            [period.years, period.quarters, str(period.first_day), str(period.last_day),
             period.basis, period.newest, period.implied, period.relative]
            for period in understanding.periods
        ],
        "day": _day(understanding),
        "kinds": understanding.kinds,
        "metrics": [metric.key for metric in understanding.metrics],
        "statements": understanding.statements,
        "unlinked": [name.casefold() for name in understanding.unlinked],
        "shape": [understanding.comparison, understanding.temporal, len(understanding.hops)],
        "route": route,
    }  # fmt: skip


def words(understanding: Understanding, route: str) -> list[str]:
    """The question's words as compared, each company in its place as "company:7"."""
    text = understanding.question.translate(_PLAIN)
    marked, at = [], 0
    for company in sorted(understanding.companies, key=lambda read: read.start):
        marked += [text[at : company.start], f" company{company.id}x "]
        at = company.end
    text = re.sub(r"\s+", " ", "".join([*marked, text[at:]]).casefold()).strip()
    text = _POLITE_LAST.sub("", _POLITE_FIRST.sub("", text))
    found = [_POSSESSIVE.sub("", token) for token in _TOKEN.findall(text)]
    kept = [token for token in found if token and token not in _ARTICLES and token != LOOSE_S]
    return _period_last(kept, understanding, route, text)


def _period_last(kept: list[str], understanding: Understanding, route: str, text: str) -> list[str]:
    """Of a factual question for one figure of one period, "in 2022, what …" as "what … in 2022".

    Only a period at the very beginning is moved, and never where the question speaks of outlooks
    or statements, which a period may date instead of the figure.
    """
    one = len(understanding.periods) == 1 and len(understanding.metrics) == 1
    if route != "factual" or not one or _OUTLOOK.search(text):
        return kept
    period = understanding.periods[0]
    said = understanding.question[period.start : period.end].translate(_PLAIN).casefold()
    spoken = [token for token in _TOKEN.findall(said) if token not in _ARTICLES]
    size = len(spoken) + 1
    if not spoken or len(kept) <= size:
        return kept
    if kept[0] in _LEADING and kept[1:size] == spoken:
        return [*kept[size:], "in", *spoken]
    if kept[-len(spoken) :] == spoken and kept[-size] in _LEADING:
        return [*kept[:-size], "in", *spoken]
    return kept


def _day(understanding: Understanding) -> str:
    """The day that the question is asked, where its meaning depends on it."""
    relative = any(period.relative or period.newest for period in understanding.periods)
    words_of_now = re.search(
        r"\b(?:now|today|current|currently|latest|recent|recently|so far|to date|yesterday|ago)\b",
        understanding.question.casefold(),
    )
    return understanding.as_of.isoformat() if relative or words_of_now else ""
