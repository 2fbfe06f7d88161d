"""The research topics as the project ships them: what each is called and what it speaks of."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

DATA = Path(__file__).with_name("topics.toml")


@dataclass(frozen=True, slots=True)
class KnownTopic:
    key: str
    name: str
    group: str
    description: str
    phrases: tuple[str, ...]


@cache
def known_topics() -> tuple[KnownTopic, ...]:
    """All of them, in the order of the file."""
    entries = tomllib.loads(DATA.read_text(encoding="utf-8"))["topic"]
    return tuple(KnownTopic(**{**entry, "phrases": tuple(entry["phrases"])}) for entry in entries)
