"""Headings recognised in the running text of filings and calls, as offsets into it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from ingestion.parsing.parsed import Section

_NUMBERED = re.compile(
    r"^[ \t|]*(?:(?P<part>PART[ \t]+(?:IV|I{1,3}))|(?P<item>ITEM[ \t]*\d{1,2}[ABC]?)"
    r"|(?P<note>NOTE[ \t]+\d{1,2}))\b(?P<rest>[^\n]{0,200})$",
    re.IGNORECASE | re.MULTILINE,
)
_NAMED = re.compile(
    r"^[ \t]*((?:(?:condensed|interim|unaudited|group|parent[ ]company)[ ])*"
    r"(?:consolidated[ ])?(?:condensed[ ])?(?:interim[ ])?"
    r"(?:statements?[ ]of[ ](?:(?:changes|comprehensive|consolidated|redeemable|financial|net)[ ])?"
    r"(?:cash|income|earnings|operations|profit|loss|comprehensive|changes|total|equity|position"
    r"|condition|(?:share|stock)(?:holders|owners))\b[a-z’',() ]{0,60}"
    r"|balance[ ]sheets?|income[ ]statements?|cash[ ]flow[ ]statements?)"
    r"|management['’]s[ ]discussion[ ]and[ ]analysis[^\n.]{0,80}"
    r"|notes[ ]to[ ](?:the[ ])?(?:(?:condensed|unaudited|interim|consolidated)[ ]){0,3}"
    r"(?:financial[ ](?:statements|information)|accounts)"
    r"|report[ ]of[ ]independent[ ]registered[ ]public[ ]accounting[ ]firm"
    r"|quantitative[ ]and[ ]qualitative[ ]disclosures?[ ]about[ ]market[ ]risks?"
    r"|liquidity[ ]and[ ]capital[ ]resources|(?:disclosure[ ])?controls[ ]and[ ]procedures"
    r"|legal[ ]proceedings|(?:(?:fiscal|full[- ]year)[ ])?(?:\d{4}[ ])?(?:financial[ ])?"
    r"(?:guidance|outlook)"
    r"|reconciliations?[ ]of[ ][^\n.,]{5,80}|risk[ ]factors|signatures"
    r"|forward[- ]looking[ ]statements"
    r"|prepared[ ]remarks|presentation|questions?[- ]and[- ]answers?(?:[ ]session)?)"
    r"(?:[ ]\((?:unaudited|continued)\))?:?[ \t]*$",
    re.IGNORECASE | re.MULTILINE,
)
# What separates a number from its title, in print and after table cells are joined.
_SEPARATORS = " \t.:;|-–—\xa0"
_PAGE_NUMBER = re.compile(r"(?:\.{3,}|[ \t|]+|…)[ \t|]*(?:[A-Z]-?)?\d{1,3}[ \t]*$")
_LEVELS = {"part": 1, "item": 2, "note": 4}
_NAMED_LEVEL, _SUBHEAD_LEVEL = 3, 5
_LONGEST = 140
_CONTENTS = re.compile(r"(?:[.…]{3,}|\s)\s*(?:[A-Z]-?)?\d{1,3}$")
# "6. Leases (Continued)", in notes that are numbered only.
_BARE_NOTE = re.compile(r"^[ \t]*(\d{1,2})(?:\.|[ ]*[—–-])[ \t]+([A-Z][^\n|]{2,90})$", re.MULTILINE)
_NOTES = re.compile(r"notes to .*(?:statements|accounts|information)", re.IGNORECASE)
# A short line of capitalised words, or in capitals, that a paragraph follows.
_SUBHEAD = re.compile(
    r"(?:^|(?<=[.:!?)\n])\n|(?<=[.:!?)”]\d\d)\n)[ ]*([A-Z][^\n|]{3,79})\n"
    r"(?=[ ]*[A-Z“\"(•][^\n]{59})"
)
_SMALL_WORDS = frozenset(
    [
        *("a", "an", "and", "as", "at", "by", "for", "from", "in", "of", "on", "or", "our", "per"),
        *("the", "to", "under", "with"),
    ]
)
_MOST_REPEATED = 3
_FIGURE = re.compile(r"[($]\s*\d|\s[—–-]\s*[($]|\d%")
_COLUMN_HEAD = re.compile(
    r"\b(?:ended|ending|as of|months|millions|thousands|change)\b", re.IGNORECASE
)


def recognise(text: str) -> list[Section]:
    """Parts, items, notes and statements by their wording, and the subheads within them.

    Contents pages are left out. Levels: part 1, item 2, statement 3, note 4, subhead 5.
    """
    found = [section for match in _NUMBERED.finditer(text) if (section := _numbered(match, text))]
    for match in _NAMED.finditer(text):
        title = " ".join(match[1].split())
        # Statement names inside a sentence are not capitalised.
        if title[0].isupper() and not _in_contents(text, match.end()):
            found.append({"title": title, "level": _NAMED_LEVEL, "start": match.start(1)})
    known = _without_contents(merge(found))
    known = merge(known, _bare_notes(text, known))
    return merge(known, _subheads(text, known))


def _in_contents(text: str, after: int) -> bool:
    line, end = _next_line(text, after)
    further = _next_line(text, end)[0]
    return all(_CONTENTS.search(entry) and entry[0].isalpha() for entry in (line, further) if entry)


def _bare_notes(text: str, known: list[Section]) -> list[Section]:
    """Notes that have a number and a title only, counted upwards from a heading of the notes."""
    if any(section["level"] == _LEVELS["note"] for section in known):
        return []
    found: list[Section] = []
    for index, section in enumerate(known):
        if not _NOTES.match(section["title"]):
            continue
        later = (s["start"] for s in known[index + 1 :] if s["level"] <= _NAMED_LEVEL)
        number = found[-1] if found else None
        last = int(number["title"].split()[1].rstrip(".")) if number else 0
        for match in _BARE_NOTE.finditer(text, section["start"], next(later, len(text))):
            title = match[2].strip()
            if int(match[1]) not in (last, last + 1) or not _is_title(title):
                continue
            last = int(match[1])
            words = f"Note {last}. {title}"
            found.append({"title": words, "level": _LEVELS["note"], "start": match.start(1)})
    return found


def _subheads(text: str, known: list[Section]) -> list[Section]:
    """Lines printed as headings, from the first known heading on; running heads are none."""
    if not known:
        return []
    found = [
        (" ".join(match[1].split()), match.start(1))
        for match in _SUBHEAD.finditer(text, known[0]["start"])
        if _is_title(match[1].strip())
    ]
    times = Counter(title for title, _ in found)
    at = {section["start"] for section in known}
    return [
        {"title": title, "level": _SUBHEAD_LEVEL, "start": start}
        for title, start in found
        if times[title] <= _MOST_REPEATED and start not in at
    ]


def _is_title(line: str) -> bool:
    """Whether a line is printed like a title: capitalised, unfinished by a stop, not a row."""
    words = line.split()
    if line[-1] in ".,;:|" or line[-1].isdigit() or not 1 <= len(words) <= 14:
        return False
    long = [word for word in words if word.lower() not in _SMALL_WORDS and word[0].isalpha()]
    if _COLUMN_HEAD.search(line) or _FIGURE.search(line):
        return False
    if sum(character.isdigit() for character in line) > 4 or sum(map(str.isalpha, line)) < 5:
        return False
    return bool(long) and sum(word[0].isupper() for word in long) >= 0.75 * len(long)


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
