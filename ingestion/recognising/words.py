"""Words that tell names from headings: what filings write in small letters is no name by itself."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path

DATA = Path(__file__).with_name("generic_words.txt")
TOKEN = re.compile(r"[^\W_]+(?:[&.'’-][^\W_]+)*")

_LISTS = {
    name: frozenset(words.split())
    for name, words in tomllib.loads(
        Path(__file__).with_name("words.toml").read_text(encoding="utf-8")
    ).items()
}
NO_COMPANY = _LISTS["no_company"]
DETERMINERS = _LISTS["determiners"]
PLACES = _LISTS["places"]
STREETS = _LISTS["streets"]
_PREFIXES = _LISTS["prefixes"]
SHORT_BODIES = _LISTS["short_bodies"]
ENDINGS = _LISTS["endings"]


@cache
def generic() -> frozenset[str]:
    """About 4,000 words that annual reports write in small letters."""
    return frozenset(DATA.read_text(encoding="utf-8").split())


def tokens(name: str) -> list[str]:
    return TOKEN.findall(name)


def parts(name: str) -> list[str]:
    """Its words in small letters, without possessives, hyphens taken apart."""
    words = (re.sub(r"['’]s?$", "", word.lower()) for word in tokens(name))
    return [part for word in words for part in word.split("-") if part]


def is_generic(name: str) -> bool:
    """Whether every word of it is an everyday word, a place, a number or a single letter."""
    return all(map(_is_everyday, parts(name)))


def speaks_against(name: str) -> bool:
    """Whether a word of it says that it is a law, a body, a document or a street."""
    words = parts(name)
    return bool(words) and (not NO_COMPANY.isdisjoint(words) or words[-1].rstrip(".") in STREETS)


def rare(name: str) -> list[str]:
    """Its words that are neither everyday words nor places, as written."""
    return [word for word in tokens(name) if not is_generic(word)]


def _is_everyday(word: str) -> bool:
    everyday = generic()
    return (
        word in everyday
        or (word.endswith("s") and word[:-1] in everyday)
        or word + "s" in everyday
        or word in DETERMINERS
        or word in PLACES
        or word in _PREFIXES
        or word.isdigit()
        or len(word) == 1
    )
