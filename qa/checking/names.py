"""Whether the names, dates and rare words of a sentence are in its quotes; pure.

A company or a period may come from the document's header instead. Nothing is guessed: a name is
compared letter by letter, so that a look-alike letter of another script is another name.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from ingestion.recognising.metrics import metrics
from ingestion.recognising.words import generic
from qa.checking.evidence import Evidence, tokens_with_digits
from qa.checking.figures import Claim
from qa.checking.wording import KNOWN_WORDS, STOP, content, says_the_same, stem, words

_NAME = re.compile(r"[^\W\d_][\w&.'-]*[\w]|[^\W\d_]")
_ORDINAL = re.compile(r"\b(\d+)(?:st|nd|rd|th)\b")
_ORDINAL_WORDS = {
    word: number
    for number, word in enumerate(
        [
            "first",
            "second",
            "third",
            "fourth",
            "fifth",
            "sixth",
            "seventh",
            "eighth",
            "ninth",
            "tenth",
        ],
        1,
    )
}
_FORMS = {
    "annual_report": "10-K 20-F 40-F 10-K/A annual report",
    "quarterly_report": "10-Q 10-Q/A quarterly report",
    "current_report": "8-K 6-K 8-K/A current report",
    "earnings_call": "call transcript earnings call",
    "research_note": "research note analyst",
    "announcement": "announcement press release",
    "news": "news article",
}
_KNOWN_SHORT = frozenset(
    [
        "CEO",
        "CFO",
        "COO",
        "CTO",
        "US",
        "U.S",
        "I",
        "A",
        "AI",
        "R&D",
        "IT",
        "Q1",
        "Q2",
        "Q3",
        "Q4",
        "FY",
        "GAAP",
        "EPS",
    ]
)
_EXPANDED = {
    "CEO": "chief executive", "CFO": "chief financial", "COO": "chief operating",
    "R&D": "research and development", "AI": "artificial intelligence", "EPS": "per share",
    "U.S": "united states", "US": "united states", "US$": "$", "FY": "", "I": "",
    "A": "", "UK": "united kingdom", "EU": "european union", "SG&A": "selling, general",
}  # fmt: skip
# Full-width digits have one reading.
_PLAIN_DIGITS = "0123456789" + "".join(map(chr, range(0xFF10, 0xFF1A)))
_OTHER_DIGITS = re.compile(r"[^\x00-\x7f]")


def strange_letters(text: str) -> str | None:
    """Why a sentence is refused for how it is written: what a reader cannot see or tell apart."""
    for character in text:
        category = unicodedata.category(character)
        if category in ("Cf", "Co", "Cs", "Cn") or (category == "Cc" and character not in "\t\n\r"):
            return f"it holds the invisible character U+{ord(character):04X}"
        if category in ("Nd", "Nl", "No") and character not in _PLAIN_DIGITS:
            return f"it holds the figure {character}, which can be read in two ways"
    if sum(unicodedata.combining(character) > 0 for character in text) > 3:
        return "it piles marks on letters"
    return None


@lru_cache(maxsize=4096)
def _script(character: str) -> str:
    return unicodedata.name(character, "").split(" ")[0]


def mixed_scripts(text: str) -> str | None:
    """Why it is refused: a word of letters of two alphabets."""
    for word in words(text):
        scripts = {_script(c) for c in word if c.isalpha()}
        if len(scripts & {"LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE"}) > 1:
            return f"“{word[:30]}” mixes two alphabets"
    return None


@dataclass(frozen=True, slots=True)
class _Held:
    """What quotes, heads and headers have: words as written, stems, and all of it in small."""

    exact: frozenset[str]
    stems: frozenset[str]
    lowered: str


def unbacked_name(claim: Claim, evidence: Sequence[Evidence], known: frozenset[str]) -> str | None:
    """Why the first name, or rare word, that neither quotes nor header hold is refused.

    `known` are names of companies in small letters, so that "Target" at the start of a sentence
    is not taken for an everyday word.
    """
    text = " ".join(f"{e.quote} {e.heads} {_header_words(e)}" for e in evidence)
    held = _Held(
        frozenset(_tokens(text)), frozenset(stem(each) for each in words(text)), text.lower()
    )
    for *_, token in tokens_with_digits(claim.text):
        if token not in text:
            return f"no quote has “{token}”"
    taken = [*claim.times.spans, *((q.start, q.end) for q in claim.figures)]
    for match in _NAME.finditer(claim.text):
        if any(a < match.end() and match.start() < b for a, b in taken):
            continue
        problem = _unbacked(claim.text, match, held, known)
        if problem:
            return problem
    return None


def _unbacked(text: str, match: re.Match[str], held: _Held, known: frozenset[str]) -> str | None:
    word = _bare(match[0])
    if not word or word in held.exact or any(map(str.isdigit, word)):
        return None
    if word in _EXPANDED and _EXPANDED[word] in held.lowered:
        return None
    before = text[: match.start()]
    starts = not before.strip(" \"'(|") or bool(re.search(r"[.:|]\s*[\"'(]?$", before))
    if word[0].isupper() and (not starts or word.lower() in known):
        parts = [part for part in re.split(r"[-&.]", word) if part]
        joined = len(parts) > 1 and all(p in held.exact or _is_everyday(p) for p in parts)
        return None if joined or word.lower() in STOP else f"no quote names “{word}”"
    if _OTHER_DIGITS.search(word):
        return f"no quote has “{word}”"
    rare = [p for p in word.lower().split("-") if stem(p) not in held.stems and not _is_everyday(p)]
    return f"no quote has the word “{word}”" if any(rare) else None


def _bare(word: str) -> str:
    return re.sub(r"'s?$", "", word).rstrip(".-&'")


@lru_cache(maxsize=1)
def _everyday() -> frozenset[str]:
    return frozenset(map(stem, generic() | KNOWN_WORDS))


def _is_everyday(word: str) -> bool:
    return len(word) == 1 or word.lower() in STOP or stem(word) in _everyday()


def _tokens(text: str) -> set[str]:
    found = set()
    for match in _NAME.finditer(text):
        word = _bare(match[0])
        found.add(word)
        found.update(part for part in re.split(r"[-&./]", word) if part)
    return found


def _header_words(e: Evidence) -> str:
    header = e.source.header
    return " ".join((header.company, *header.names, _FORMS.get(header.kind, "")))


def unbacked_time(claim: Claim, evidence: Sequence[Evidence]) -> str | None:
    """Why a year, quarter, month or day is refused: neither quote, table nor header has it."""
    said = claim.times
    headers = [e.source.header for e in evidence]
    held = [e.times for e in evidence] + [e.head_times for e in evidence]
    years = {y for t in held for y in t.years} | {h.fiscal_year for h in headers}
    years |= _earlier_years(evidence)
    quarters = {q for t in held for q in t.quarters} | {h.fiscal_quarter for h in headers}
    published = {h.published_on.month for h in headers if h.published_on and said.days}
    for name, wanted, found in (
        ("year", said.years, years),
        ("quarter", said.quarters, quarters),
        ("half", said.halves, {x for t in held for x in t.halves}),
        ("month", said.months, {m for t in held for m in t.months} | published),
    ):
        missing = sorted(set(wanted) - found)
        if missing:
            return f"no quote is of the {name} {missing[0]}"
    days = {d for t in held for d in t.days} | {
        h.published_on.isoformat() for h in headers if h.published_on
    }
    loose = {day[-5:] for day in days}
    for day in sorted(said.days):
        if day in days or (day.startswith("--") and day[-5:] in loose):
            continue
        # "December 31" in the quote, its year in the header.
        if f"--{day[-5:]}" not in days or int(day[:4]) not in years:
            return f"no quote has the day {day.lstrip('-')}"
    return _unbacked_ordinal(claim, evidence)


def _earlier_years(evidence: Sequence[Evidence]) -> set[int | None]:
    """The year before the header's, where the quote itself speaks of the year before."""
    return {
        e.source.header.fiscal_year - 1
        for e in evidence
        if e.source.header.fiscal_year
        and re.search(
            r"year (?:earlier|ago|before)|(?:last|prior|previous) (?:fiscal )?year", e.quote, re.I
        )
    }


def _unbacked_ordinal(claim: Claim, evidence: Sequence[Evidence]) -> str | None:
    held = {n for e in evidence for n in _ordinals(e.quote)}
    held |= {e.source.header.fiscal_quarter or 0 for e in evidence}
    held |= {n for e in evidence for n in e.times.quarters}
    missing = sorted(_ordinals(claim.text) - held)
    if missing:
        return f"no quote says which is number {missing[0]}"
    return None


def _ordinals(text: str) -> set[int]:
    found = {int(match[1]) for match in _ORDINAL.finditer(text) if len(match[1]) < 6}
    return found | {
        _ORDINAL_WORDS[word.lower()] for word in words(text) if word.lower() in _ORDINAL_WORDS
    }


def unbacked_metric(claim: Claim, evidence: Sequence[Evidence]) -> str | None:
    """Why a metric that the sentence names is refused: no quote, nor its table's heads, has it."""
    held = {m.name for e in evidence for m in (*e.metrics, *metrics(e.heads))}
    there = " ".join(each for e in evidence for each in content(e.quote + " . " + e.heads))
    for metric in claim.metrics:
        if metric.name in held:
            continue
        surface = claim.text[metric.start : metric.end]
        if len(content(surface)) > 1 and " ".join(content(surface)) in there:
            continue
        if metric.name == "guidance":
            continue
        if metric.name == "headcount" and any(
            says_the_same("employ", each) for each in there.split()
        ):
            continue
        return f"no quote speaks of “{surface}”"
    return None
