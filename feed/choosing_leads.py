"""Where a document begins to say something: past its cover, its contents and its disclaimers; pure.

A card without a better place quotes this one. Sentences are told apart here so that a heading is
no part of the one below it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ingestion.sentence_windows import ROW, Span, is_ended, joined, parts

MANAGEMENT = "mdna"  # Where management says how business went.
LEAST_WORDS = 8
LEAST_LETTERS = 0.72
# A line as long as this was broken by the page, not by who wrote it.
WRAPPED = 60
# Passages of each kind that are looked through.
MOST_PASSAGES = 12
_BOILERPLATE = re.compile(
    r"check mark|incorporated (?:herein )?by reference|(?:Exchange|Securities|Reform) Act|"
    r"forward.looking|(?:in conjunction|together) with|\bregistrant|table of contents|"
    r"on Form \d|undersigned|safe harbor|rights reserved|fair disclosure|is designed to provide|"
    r"pursuant to (?:the requirements|section|rule|item)|risks and uncertainties|par value|"
    r"conference call|web ?cast|good (?:morning|afternoon|day)|\bwelcome\b|non-GAAP|"
    r"(?:presented|organi[sz]ed) (?:in|as follows)|as used (?:in|herein)|\bcontact|"
    r"(?:identification|file|commission) n(?:o\b|umber)|principal executive|exact name|zip code|"
    r"other jurisdiction|date of report|check this box|due to rounding|actual results|"
    r"management.s discussion and analysis",
    re.IGNORECASE,
)
# What is said on a call about the call.
_PROCEEDINGS = re.compile(
    r"(?:hand|turn|pass) (?:\S+ ){0,3}over to|question.and.answer|(?:first|next|last) question|"
    r"one follow-up|prepared remarks|in the room|(?:give|begin with) (?:the|an) overview|"
    r"through the (?:numbers|financials)|results call|press star|"
    r"(?:this|today.s) (?:call|transcript)|thank you|thanks\b",
    re.IGNORECASE,
)
_FIGURE = re.compile(r"\d\s?(?:%|per ?cent|percent|[mb]illion|basis points)|[$€£¥]\s?\d")
_MOVEMENT = re.compile(
    r"\b(?:(?:in|de)creas|gr[eo]w|rose|fell|declin|improv|higher|lower|weaken|expand|narrow|widen|"
    r"doubl|(?:up|down) (?:by )?\d|(?:versus|against|compared (?:with|to)) \W?\d|a year ago)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Passage:
    """`text` begins at `start` of the document; `statement` is the part of a report that it is."""

    start: int
    text: str
    statement: str = ""


def lead(passages: Sequence[Passage], title: str, *, telling: bool) -> int:
    """The offset of the first sentence worth quoting, 0 where there is none.

    With `telling`, for reports and calls, rather one that says what moved by how much, else one
    with a figure, in what management says if it is there.
    """
    managed = [each for each in passages if each.statement == MANAGEMENT][:MOST_PASSAGES]
    others = [each for each in passages if each.statement != MANAGEMENT][:MOST_PASSAGES]
    found = [*_prose(managed, title), *_prose(others, title)]
    first = found[0][0] if found else 0
    if not telling:
        return first
    figures = [(at, words) for at, words in found if _FIGURE.search(words)]
    moved = (at for at, words in figures if _MOVEMENT.search(words))
    return next(moved, figures[0][0] if figures else first)


def sentences(text: str) -> list[Span]:
    """Offsets of the sentences, headings and rows of a passage, in order."""
    return joined(text, parts(text, 0, len(text)), _goes_on)


def _prose(passages: Iterable[Passage], title: str) -> Iterator[tuple[int, str]]:
    """(offset in the document, sentence) of what is neither a heading nor a formula of lawyers."""
    same = _plain(title)
    for passage in passages:
        for low, high in sentences(passage.text):
            start = _past(passage.text, low, high, same)
            words = " ".join(passage.text[start:high].split())
            if _is_prose(words):
                yield passage.start + start, words


def _is_prose(words: str) -> bool:
    letters = sum(character.isalpha() or character == " " for character in words)
    return (
        bool(words)
        and words.count(" ") + 1 >= LEAST_WORDS
        and letters >= LEAST_LETTERS * len(words)
        # A passage may begin in the middle of a sentence.
        and not words[0].islower()
        and words[0] != "("
        and ROW not in words
        and not words.isupper()
        and is_ended(words)
        and not _BOILERPLATE.search(words)
        and not _PROCEEDINGS.search(words)
    )


def _past(text: str, low: int, high: int, title: str) -> int:
    """Where it begins to say something, if the title is in one with it."""
    if not title or not _plain(text[low:high]).startswith(title):
        return low
    left = len(title)
    while left > 0 and low < high:
        left -= len(_plain(text[low]))
        low += 1
    rest = text[low:high]
    return high - len(rest.lstrip(" \n.:-–—"))


def _plain(words: str) -> str:
    return "".join(character for character in words.lower() if character.isalnum())


def _goes_on(text: str, last: Span, low: int, high: int) -> bool:
    before, between = text[slice(*last)], text[last[1] : low]
    if ROW in before or ROW in text[low:high] or "\n\n" in between or is_ended(before):
        return False
    return text[low].islower() or len(before.rpartition("\n")[2]) >= WRAPPED
