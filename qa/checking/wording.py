"""The verifier's words: stems, meanings, directions, negations, clauses; kept as data, pure."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path

_DATA = tomllib.loads(Path(__file__).with_name("wording.toml").read_text(encoding="utf-8"))
WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?|[^\W_]+")
_SUFFIXES = (
    "ations", "ation", "itions", "ition", "ments", "ment", "ings", "ing", "edly", "ied", "ies",
    "ed", "es", "ly", "ness", "s", "e", "y",
)  # fmt: skip
_CLAUSE = re.compile(
    r"[;:()|]|[.!?](?=\s|$)|,\s+(?=(?:and|but|while|whereas|which|although|as|offset|partly|with|"
    r"though|compared|because|driven|despite)\b)|\s(?=(?:but|while|whereas|although|though|because|"
    r"despite)\s)"
)


@lru_cache(maxsize=65_536)
def stem(word: str) -> str:
    """A rough stem: inflections of one word fall together, and rarely two words do."""
    low = word.lower().replace("’", "'")
    low = low.removesuffix("'s").rstrip("'")
    for suffix in _SUFFIXES:
        if low.endswith(suffix) and len(low) - len(suffix) >= 3 and not low.endswith("ss"):
            low = low[: -len(suffix)]
            break
    if len(low) > 3 and low[-1] == low[-2] and low[-1] not in "aeiousl":
        low = low[:-1]
    return low.removesuffix("e") if len(low) > 3 else low


def words(text: str) -> list[str]:
    return WORD.findall(text)


def _stems(name: str) -> frozenset[str]:
    return frozenset(map(stem, _DATA[name].split()))


STOP = frozenset(_DATA["stop"].split())
_SURFACE = {
    word: name for name in ("up", "down", "better", "worse", "flat") for word in _DATA[name].split()
}
NEGATION = frozenset(_DATA["negation"].split())
NEGATING_VERBS = frozenset(_DATA["negating_verbs"].split())
HEDGE = frozenset(_DATA["hedge"].split())
# Every word of the lists: none of them is a name.
KNOWN_WORDS = (
    STOP
    | frozenset(_SURFACE)
    | NEGATION
    | HEDGE
    | frozenset(word for line in _DATA["same"] for word in line.split())
    | frozenset(_DATA["irregular"].split())
)
EXCLUSIVE = tuple(frozenset(line.split()) for line in _DATA["exclusive"])
BOUND_UP = tuple(_DATA["bound_up"])
BOUND_DOWN = tuple(_DATA["bound_down"])
_INSTRUCTION = re.compile("|".join(f"(?:{each})" for each in _DATA["instruction"]), re.IGNORECASE)


def _meanings() -> dict[str, frozenset[int]]:
    found: dict[str, set[int]] = {}
    for number, line in enumerate(_DATA["same"]):
        for word in line.split():
            found.setdefault(stem(word), set()).add(number)
    return {key: frozenset(numbers) for key, numbers in found.items()}


_MEANINGS = _meanings()


def meaning_lines() -> list[list[str]]:
    """The lines of words that may stand for each other."""
    return [line.split() for line in _DATA["same"]]


def says_the_same(one: str, other: str) -> bool:
    """Whether two stems are one, begin alike, or stand in one line of meanings."""
    if one == other:
        return True
    if len(one) >= 5 and len(other) >= 5 and (one.startswith(other) or other.startswith(one)):
        return True
    return not _MEANINGS.get(one, frozenset()).isdisjoint(_MEANINGS.get(other, frozenset()))


def content(text: str) -> list[str]:
    """The stems of the words that say something, in order; figures left out."""
    return [
        stem(word)
        for word in words(text)
        if word.lower() not in STOP and not any(map(str.isdigit, word)) and len(word) > 1
    ]


def share_found(wanted: Iterable[str], held: Iterable[str]) -> float:
    """The share of stems that have an equal in meaning among the others; 1 for no stems."""
    listed, there = list(wanted), set(held)
    if not listed:
        return 1.0
    meanings = (
        set().union(*(_MEANINGS.get(each, frozenset()) for each in there)) if there else set()
    )
    found = sum(
        each in there
        or not meanings.isdisjoint(_MEANINGS.get(each, frozenset()))
        or any(says_the_same(each, other) for other in there)
        for each in listed
    )
    return found / len(listed)


def directions(text: str) -> Iterator[tuple[int, str, str]]:
    """(offset, word, direction): up, down, better, worse or flat. "Up to" is none."""
    for match in re.finditer(r"[^\W\d_]+", text):
        word = match[0].lower()
        name = _SURFACE.get(word)
        if name is None or (
            match[0][0].isupper()
            and text[: match.start()].strip(" \"'(|")
            and not re.search(r"[.:|]\s*$", text[: match.start()])
        ):
            continue
        after = text[match.end() : match.end() + 12].lower()
        before = text[max(0, match.start() - 12) : match.start()].lower()
        if word in ("up", "down") and not re.match(
            r"\s*(?:by\b|from\b|\(?\$?\d|\d|[,.;)]|$|slightly|sharply|over|year|about|almost|in\b|on\b)",
            after,
        ):
            continue
        if word in ("up",) and re.search(r"(?:set|start|take|made|make|back|follow)\w*\s$", before):
            continue
        if word in ("contract", "cut", "target") and name == "down" and word == "contract":
            continue
        if word == "fall" and re.search(r"(?:in the|last|this|next)\s$", before):
            continue
        yield match.start(), match[0], name


def negations(text: str) -> Iterator[int]:
    """Where a negation ends; "no later than" and "not only" are none."""
    for match in re.finditer(r"[^\W\d_]+(?:['’]t)?", text):
        word = match[0].lower().replace("’", "'")
        after = text[match.end() : match.end() + 24].lower()
        if word in ("no", "not") and re.match(
            r"\s+(?:later|earlier|more|less|fewer|only|longer) than|\s+only|\.\s?\d", after
        ):
            continue
        if (
            word in NEGATION
            or word.endswith("n't")
            or (word in NEGATING_VERBS and re.match(r"\s+to\b", after))
        ):
            yield match.end()


def hedged(text: str) -> bool:
    """Whether it is only expected, possible or conditional. The month of May is none."""
    for match in re.finditer(r"[^\W\d_]+", text):
        word = match[0]
        if word == "May" or word.lower() not in HEDGE:
            continue
        # "More than we had expected" is a fact.
        if re.search(r"\bthan\b|\bas\s$", text[: match.start()]):
            continue
        return True
    return False


def clauses(text: str) -> list[tuple[int, int]]:
    """Spans of the parts of a sentence that each say one thing."""
    spans, low = [], 0
    for match in _CLAUSE.finditer(text):
        if match.start() > low:
            spans.append((low, match.start()))
        low = match.end()
    if low < len(text):
        spans.append((low, len(text)))
    return [span for span in spans if text[slice(*span)].strip()]


def instructs(text: str) -> bool:
    """Whether it tells its reader, or a model, what to do."""
    return bool(_INSTRUCTION.search(text))
