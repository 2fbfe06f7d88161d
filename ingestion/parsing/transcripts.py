"""Calls recognised in a text: who speaks from where, and where the questions begin.

Trap: only lines that name a speaker tell turns; a transcript printed without them has none.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ingestion.parsing.parsed import Section

_CAPITAL = "A-ZÀ-ÖØ-ÞĀĂĄĆĈĊČĎĐĒĔĖĘĚĜĞĠĢĤĦĨĪĬĮİĴĶĹĻĽĿŁŃŅŇŌŎŐŔŖŘŚŜŞŠŢŤŦŨŪŬŮŰŲŴŶŸŹŻŽ"
_PART_OF_NAME = (
    rf"(?:[{_CAPITAL}][\w’'.-]*|[“\"(][\w ]{{2,15}}[”\")]"
    r"|van|von|de|der|den|del|la|le|di|da|dos|bin|al|el|ter)"
)
_NAME = (
    rf"(?:(?:Dr|Mr|Mrs|Ms|Prof|Sir)\.? )?[{_CAPITAL}][\w’'.-]*(?: {_PART_OF_NAME}){{1,4}}"
    r"(?:,? (?:Jr|Sr|II|III|IV|Ph\.?D|CFA|M\.?D)\.?)?"
)
_NOBODY = (
    r"(?:conference (?:call )?)?operator|moderator|conference (?:coordinator|facilitator)"
    r"|coordinator|unidentified (?:company |corporate )?\w+|unknown \w+|company representative"
    r"|speaker \d{1,2}|audience member"
)
_CLOCK = r"(?:[\[(]?\d{1,2}:\d\d(?::\d\d)?[\])]?)"
_LABEL = re.compile(
    rf"^[ \t]*(?:\*\*|__)?(?:(?P<since>{_CLOCK})[ ]*)?(?:<?[QA][ ]*[-–—:][ ]*)?"
    rf"(?P<who>(?P<nobody>(?i:{_NOBODY}))|(?P<name>{_NAME}))"
    r"(?:(?P<dash>[ ]*(?:--|—|–|[ ]-[ ])[ ]*)(?P<role>[^:\n]{2,120}?)|,[ ](?P<post>[^:\n]{2,110}?)"
    r"|[ ]\((?P<firm>[^)\n\d][^)\n]{1,80})\)|[ ]*\[(?P<note>[^\]\n\d][^\]\n]{1,60})\])?"
    rf"(?:\*\*|__)?>?[ ]*(?P<at>{_CLOCK})?"
    rf"(?:(?P<colon>:)(?:\*\*|__)?[ ]*{_CLOCK}?[ ]*(?P<speech>\S[^\n]*)?)?[ \t]*$"
)
_ROLE = re.compile(
    r"\b(?:chief|officer|president|director|analyst|head|vice|relations|ceo|cfo|coo|chair\w*|partner"
    r"|treasurer|manager|counsel|controller|founder|evp|svp|vp|secretary|executive|economist"
    r"|strategist|research|securities|capital|bank\w*|llc|inc)\b",
    re.IGNORECASE,
)
_NO_ROLE = re.compile(
    r"^(?:inc|corp|llc|ltd|co|plc|s\.?a|ag|n\.?v)\b|\bcall\b|\btranscript|\b(?:19|20)\d\d\b|\bQ[1-4]\b",
    re.IGNORECASE,
)
_NO_PERSON = re.compile(
    r"^(?:item|note|part|table|page|total|net|section|exhibit|figure|schedule|annex|appendix|form"
    r"|article|chapter|question|answer|source|date|subject|re|contact|about|investor|media|press"
    r"|prepared|thank|good|first|second|third|fourth|fiscal|all|our|the|in|on|for|and|cash|other)\b",
    re.IGNORECASE,
)
_PARTICIPANT = re.compile(
    rf"^[ \t]*[•*·–-][ \t]+(?:\*\*)?(?P<name>{_NAME})(?:\*\*)?(?:[ ]*[-–—,(]|$)"
)
_PART = re.compile(
    r"^[ \t#*_]*(?:(?P<first>prepared remarks|(?:management )?presentation"
    r"|(?:management |management['’]s )?discussion section|opening remarks|corporate remarks)"
    r"|(?P<second>questions?[ -]*(?:and|&)[ -]*answers?(?:[ ](?:session|section|period))?"
    r"|q[ ]?(?:&|and)[ ]?a(?:[ ](?:session|section))?))[ ]*:?[ \t*_]*$",
    re.IGNORECASE,
)
_OPENS = re.compile(
    r"first question|question[- ]and[- ]answer|\bq ?& ?a\b"
    r"|open\w* (?:\w+ ){0,5}(?:for|to) (?:\w+ ){0,3}questions",
    re.IGNORECASE,
)
_CALL = re.compile(
    r"(?:conference|earnings|results|investors?|analysts?|quarterly|teleconference) ?call"
    r"|transcript|question[- ]and[- ]answer|fireside|webcast|\bq ?& ?a\b",
    re.IGNORECASE,
)
_LINE = re.compile(r"[^\n]+")
_FEWEST, _LONGEST_LABEL, _SHORTEST_SPEECH = 3, 200, 3
_PREPARED, _QUESTIONS = "Prepared remarks", "Questions and answers"


@dataclass(slots=True)
class _Turn:
    start: int
    title: str
    name: str
    nobody: bool
    certain: bool
    speech: int
    end: int = 0


def with_turns(text: str, sections: Sequence[Section]) -> list[Section]:
    """The sections with those of a call added, in reading order; the same where it is no call.

    Every turn is a section with `speaker`, one level below the part it stands in; parts that are
    not printed are named "Prepared remarks" and "Questions and answers".
    """
    turns, parts = _read(text)
    if not _is_call(text, turns):
        return list(sections)
    begins = {turn.start for turn in turns}
    first, second = _parts(text, turns, parts)
    named = {start for start, _ in (first, second) if start >= 0}
    levels = [s["level"] for s in sections if s["start"] in named]
    titled = bool(sections) and sections[0]["level"] == 1 and sections[0]["start"] < first[0]
    level = levels[0] if levels else 1 + titled
    found: list[Section] = [
        {"title": title, "level": level, "start": start}
        for start, title in (first, second)
        if start >= 0
    ]
    found += [
        {"title": turn.title, "level": level + 1, "start": turn.start, "speaker": True}
        for turn in turns
    ]
    spans = [(turn.start, turn.speech) for turn in turns]
    kept = [s for s in sections if s["start"] not in named and not _within(s, spans, begins)]
    return sorted([*kept, *found], key=lambda s: (s["start"], s["level"]))


def _within(section: Section, spans: list[tuple[int, int]], begins: set[int]) -> bool:
    """Whether a section is the line that names a speaker."""
    index = bisect_right(spans, (section["start"], len(spans) and spans[-1][1] + 1)) - 1
    return section["start"] in begins or (index >= 0 and section["start"] < spans[index][1])


def _read(text: str) -> tuple[list[_Turn], list[tuple[int, str, bool]]]:
    """Turns with speech, and lines that name a part: (start, title, whether the questions)."""
    candidates: list[_Turn] = []
    parts: list[tuple[int, str, bool]] = []
    known: Counter[str] = Counter()
    for kind, match, turn in _named_lines(text):
        if kind == "part":
            title = match[0].strip(" \t#*_:")
            parts.append((match.start(), title, bool(_PART.match(match[0])["second"])))  # type: ignore[index]
        elif kind == "participant":
            known[_key(match)] += 2
        elif turn is not None:
            candidates.append(turn)
            known[turn.name] += 2 if turn.certain else 1
    accepted = [turn for turn in candidates if turn.certain or known[turn.name] >= 2]
    return _spoken(text, accepted, [start for start, _, _ in parts]), parts


def _named_lines(text: str) -> Iterator[tuple[str, re.Match[str], _Turn | None]]:
    for line in _LINE.finditer(text):
        words = line[0]
        if len(words) < 60 and _PART.match(words):
            yield "part", line, None
            continue
        participant = _PARTICIPANT.match(words) if len(words) < _LONGEST_LABEL else None
        if participant:
            yield "participant", participant, None
            continue
        turn = _labelled(line)
        if turn is not None:
            yield "turn", line, turn


def _key(match: re.Match[str]) -> str:
    return " ".join(match["name"].casefold().split())


def _labelled(line: re.Match[str]) -> _Turn | None:
    """The turn that a line begins, if it may name a speaker."""
    head = line[0][: _LONGEST_LABEL + 100]
    match = _LABEL.match(head)
    if match is None or (match["name"] and _NO_PERSON.match(match["name"])):
        return None
    role = match["role"] or match["post"] or match["firm"] or match["note"]
    if role and (_NO_ROLE.search(role) or _is_sentence(role)):
        return None
    nobody = bool(match["nobody"])
    certain = nobody or bool(role and (match["dash"] or _ROLE.search(role)))
    certain = certain or bool((match["since"] or match["at"]) and match["colon"])
    if match["post"] and not certain:
        if not match["colon"]:
            return None
        certain = not match["speech"]
    end = match.start("speech") if match["speech"] else len(line[0])
    before = match.end("colon") if match["colon"] else len(match[0])
    title = head[match.start("who") : before].strip(" \t:*_<>")
    title = re.sub(rf"\s*{_CLOCK}$", "", title)
    name = " ".join(match["who"].casefold().split())
    return _Turn(line.start(), title, name, nobody, certain, line.start() + end)


def _is_sentence(role: str) -> bool:
    words = role.rstrip()
    return words.endswith((".", "?", "!", ";")) and not words.endswith(("Inc.", "Co.", "Corp."))


def _spoken(text: str, turns: list[_Turn], parts: list[int]) -> list[_Turn]:
    """The turns after which somebody says something; a list of participants is none."""
    kept: list[_Turn] = []
    for place, turn in enumerate(turns):
        after = turns[place + 1] if place + 1 < len(turns) else None
        turn.end = after.start if after else len(text)
        later = parts[bisect_right(parts, turn.start) :][:1]
        until = min([turn.end, *later, turn.speech + 400])
        if len(text[turn.speech : until].split()) >= _SHORTEST_SPEECH:
            kept.append(turn)
    return kept


def _is_call(text: str, turns: list[_Turn]) -> bool:
    # "Vice President, Investor Relations" under a contact's name is nobody who speaks.
    speakers = Counter(turn.name for turn in turns if turn.nobody or not _ROLE.search(turn.name))
    if len(turns) < _FEWEST or len(speakers) < 2:
        return False
    operated = sum(turn.nobody for turn in turns)
    if not operated and not _CALL.search(text, 0, 6_000):
        return False
    again = sum(count > 1 for count in speakers.values())
    if not again and not (operated and _CALL.search(text, 0, 6_000)):
        return False
    spoken = len(text) - turns[0].start
    # The turns are most of the text; a signature page or a list of names is not.
    return spoken > 0.4 * len(text) and spoken / len(turns) < 15_000


def _parts(
    text: str, turns: list[_Turn], parts: Sequence[tuple[int, str, bool]]
) -> tuple[tuple[int, str], tuple[int, str]]:
    """Start and title of the remarks and of the questions; a start of -1 where there are none."""
    begin, last = turns[0].start, turns[-1].start
    first = next(
        (
            (start, title)
            for start, title, second in reversed(parts)
            if not second and start < begin
        ),
        (begin, _PREPARED),
    )
    printed = [(start, title) for start, title, second in parts if second and start < last]
    inside = [item for item in printed if item[0] > begin]
    if inside:
        return first, inside[0]
    if printed and first[0] == begin:
        # The file begins with the questions.
        return (-1, ""), printed[-1]
    for turn in turns[1:]:
        if turn.nobody and _OPENS.search(text, turn.speech, min(turn.end, turn.speech + 1_500)):
            return first, (turn.start, _QUESTIONS)
    return first, (-1, "")
