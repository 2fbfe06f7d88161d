"""Headings recognised in the running text of filings and calls, as offsets into it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ingestion.parsing.parsed import Section

_NUMBERED = re.compile(
    r"^[ \t|]*(?:(?P<part>PART[ \t]+(?:IV|I{1,3}))|(?P<item>ITEM[ \t]*\d{1,2}[ABC]?)"
    r"|(?P<note>NOTE[ \t]+\d{1,2}))\b(?P<rest>[^\n]{0,200})$",
    re.IGNORECASE | re.MULTILINE,
)
_NAMED = re.compile(
    r"^[ \t]*((?:(?:condensed|interim|unaudited)[ ])*consolidated[ ](?:condensed[ ])?"
    r"(?:statements?[ ]of[ ][a-z’',() ]{4,60}|balance[ ]sheets?)"
    r"|management['’]s[ ]discussion[ ]and[ ]analysis[^\n.]{0,80}"
    r"|notes[ ]to[ ](?:the[ ])?(?:condensed[ ])?consolidated[ ]financial[ ]statements"
    r"|report[ ]of[ ]independent[ ]registered[ ]public[ ]accounting[ ]firm"
    r"|risk[ ]factors|forward[- ]looking[ ]statements|signatures"
    r"|prepared[ ]remarks|presentation|questions?[- ]and[- ]answers?(?:[ ]session)?)"
    r"(?:[ ]\((?:unaudited|continued)\))?:?[ \t]*$",
    re.IGNORECASE | re.MULTILINE,
)
# What separates a number from its title, in print and after table cells are joined.
_SEPARATORS = " \t.:;|-–—\xa0"
_PAGE_NUMBER = re.compile(r"(?:\.{3,}|[ \t|]+|…)[ \t|]*(?:[A-Z]-?)?\d{1,3}[ \t]*$")
_LEVELS = {"part": 1, "item": 2, "note": 3}
_LONGEST = 140


def recognise(text: str) -> list[Section]:
    """Parts, items, notes and statements by their wording; contents pages are left out."""
    found = [section for match in _NUMBERED.finditer(text) if (section := _numbered(match, text))]
    for match in _NAMED.finditer(text):
        title = " ".join(match[1].split())
        # Statement names inside a sentence are not capitalised.
        if title[0].isupper():
            found.append({"title": title, "level": 3, "start": match.start(1)})
    return _without_contents(merge(found))


def _without_contents(sections: list[Section]) -> list[Section]:
    """Drops parts that another part follows at once: the lines of a table of contents."""
    following = [*sections[1:], None] if sections else []
    return [
        section
        for section, after in zip(sections, following, strict=True)
        if not (
            section["level"] == 1
            and after
            and after["level"] == 1
            and after["start"] - section["start"] < 2_500
        )
    ]


def _numbered(match: re.Match[str], text: str) -> Section | None:
    kind = match.lastgroup if match.lastgroup != "rest" else None
    kind = kind or next(name for name in _LEVELS if match[name])
    label, rest = " ".join(match[kind].split()), match["rest"]
    title = rest.strip(_SEPARATORS)
    if _PAGE_NUMBER.search(rest) or rest.startswith((",", ")", "(", "’", "'")):
        return None
    after = match.end()
    if not title and kind != "part":
        title, after = _next_line(text, after)
        if not title or _PAGE_NUMBER.search(" " + title):
            return None
    # "PART II I" and "PART I. V" are a numeral torn apart by the typesetting.
    if kind == "part" and 0 < len(title) < 4:
        label, title = label + title, ""
    if title and not (title[0].isupper() or title[0] in "“\"'[("):
        return None
    if _next_line(text, after)[0].isdigit() or len(title) > _LONGEST:
        return None
    if kind == "note" and rest.strip()[:1] not in {*_SEPARATORS} - {" "}:
        return None
    words = f"{label}. {title}" if title else label
    return {"title": words, "level": _LEVELS[kind], "start": match.start(kind)}


def _next_line(text: str, position: int) -> tuple[str, int]:
    """The next line with words within three lines, and where it ends."""
    for _ in range(3):
        start = text.find("\n", position) + 1
        if not start:
            break
        end = text.find("\n", start)
        position = end if end >= 0 else len(text)
        line = text[start:position].strip(_SEPARATORS)
        if line:
            return line, position
        if end < 0:
            break
    return "", position


def merge(*groups: Iterable[Section]) -> list[Section]:
    """All sections in reading order; a running header that repeats one is dropped."""
    ordered = sorted((section for group in groups for section in group), key=lambda s: s["start"])
    kept: list[Section] = []
    for section in ordered:
        if kept and _same(kept[-1], section):
            continue
        kept.append(section)
    return kept


def _same(one: Section, other: Section) -> bool:
    first, second = (re.sub(r"\W|\(?continued\)?", "", s["title"].casefold()) for s in (one, other))
    near = other["start"] - one["start"] < 200
    return first == second or (near and (first.endswith(second) or second.endswith(first)))
