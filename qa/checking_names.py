"""Whether the names, dates and rare words of a sentence are in its quotes; pure.

A company or a period may come from the document's header instead. Nothing is guessed: a name is
compared letter by letter, so that a look-alike letter of another script is another name.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

from ingestion.recognising.words import generic
from qa.checking_figures import Claim
from qa.evidence import Evidence, tokens_with_digits
from qa.wording import KNOWN_WORDS, STOP, stem, words

_NAME = re.compile(r"[^\W\d_][\w&.'-]*[\w]|[^\W\d_]")
_ORDINAL = re.compile(r"\b(\d+)(?:st|nd|rd|th)\b")
_ORDINAL_WORDS = {
    word: number
    for number, word in enumerate(
        "first second third fourth fifth sixth seventh eighth ninth tenth".split(), 1
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
_KNOWN_SHORT = frozenset("CEO CFO COO CTO US U.S I A AI R&D IT Q1 Q2 Q3 Q4 FY GAAP EPS".split())
_EXPANDED = {
    "CEO": "chief executive", "CFO": "chief financial", "COO": "chief operating",
    "R&D": "research and development", "AI": "artificial intelligence", "EPS": "per share",
    "U.S": "united states", "US": "united states", "US$": "$", "FY": "", "I": "",
    "A": "", "UK": "united kingdom", "EU": "european union", "SG&A": "selling, general",
}  # fmt: skip
_OTHER_DIGITS = re.compile(r"[^\x00-\x7f]")


def strange_letters(text: str) -> str | None:
    """Why a sentence is refused for how it is written: what a reader cannot see or tell apart."""
    for character in text:
        category = unicodedata.category(character)
        if category in ("Cf", "Co", "Cs", "Cn") or (category == "Cc" and character not in "\t\n\r"):
            return f"it holds the invisible character U+{ord(character):04X}"
        if category in ("Nd", "Nl", "No") and ord(character) > 127:
            if not 0xFF10 <= ord(character) <= 0xFF19:
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


def unbacked_name(claim: Claim, evidence: Sequence[Evidence], known: frozenset[str]) -> str | None:
    """Why the first name, or rare word, that neither quotes nor header hold is refused.

    `known` are names of companies in small letters, so that "Target" at the start of a sentence
    is not taken for an everyday word.
    """
    held = " ".join(f"{e.quote} {e.heads}" for e in evidence)
    headers = " ".join(_header_words(e) for e in evidence)
    exact = _tokens(held) | _tokens(headers)
    stems = {stem(each) for each in words(f"{held} {headers}")}
    lowered = f"{held} {headers}".lower()
    for low, _, token in tokens_with_digits(claim.text):
        if token not in held and token not in headers:
            return f"no quote has “{token}”"
    spans = claim.times.spans
    taken = [(q.start, q.end) for q in claim.figures]
    for match in _NAME.finditer(claim.text):
        if any(a < match.end() and match.start() < b for a, b in (*spans, *taken)):
            continue
        problem = _unbacked(claim.text, match, exact, stems, lowered, known)
        if problem:
            return problem
    return None


def _unbacked(
    text: str, match: re.Match[str], exact: set[str], stems: set[str], lowered: str,
    known: frozenset[str],
) -> str | None:  # fmt: skip
    word = re.sub(r"'s?$", "", match[0]).rstrip(".-&'")
    if not word or word in exact or any(map(str.isdigit, word)):
        return None
    low = word.lower()
    if _EXPANDED.get(word) is not None and _EXPANDED[word] in lowered:
        return None
    capital = word[0].isupper()
    starts = not text[: match.start()].strip(" \"'(|") or bool(
        re.search(r"[.:|]\s*[\"'(]?$", text[: match.start()])
    )
    if capital and not starts:
        parts = [part for part in re.split(r"[-&.]", word) if part]
        if len(parts) > 1 and all(part in exact or _is_everyday(part) for part in parts):
            return None
        if low in STOP:
            return None
        return f"no quote names “{word}”"
    if capital and low in known and low not in {stem_word.lower() for stem_word in exact}:
        return f"no quote names “{word}”"
    if _OTHER_DIGITS.search(word):
        return f"no quote has “{word}”"
    for part in low.split("-"):
        if part and stem(part) not in stems and not _is_everyday(part):
            return f"no quote has the word “{word}”"
    return None


@lru_cache(maxsize=1)
def _everyday() -> frozenset[str]:
    return frozenset(map(stem, generic() | KNOWN_WORDS))


def _is_everyday(word: str) -> bool:
    return len(word) == 1 or word.lower() in STOP or stem(word) in _everyday()


def _tokens(text: str) -> set[str]:
    found = set()
    for match in _NAME.finditer(text):
        word = re.sub(r"'s?$", "", match[0]).rstrip(".-&'")
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
    for name, wanted, found in (
        ("year", said.years, years),
        ("quarter", said.quarters, {q for t in held for q in t.quarters} | {h.fiscal_quarter for h in headers}),
        ("half", said.halves, {x for t in held for x in t.halves}),
        ("month", said.months, {m for t in held for m in t.months} | {h.published_on.month for h in headers if h.published_on and said.days}),
    ):  # fmt: skip
        missing = sorted(set(wanted) - found)
        if missing:
            return f"no quote is of the {name} {missing[0]}"
    days = {d for t in held for d in t.days} | {
        h.published_on.isoformat() for h in headers if h.published_on
    }
    loose = {day[-5:] for day in days}
    for day in sorted(said.days):
        if day not in days and not (day.startswith("--") and day[-5:] in loose):
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
