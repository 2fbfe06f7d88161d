"""Names to companies: by exact key, by ticker beside the name, by near spelling; else to none.

Whatever two companies could claim is nobody's.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from cleanco import basename
from rapidfuzz import fuzz, process

from ingestion.metadata import company_key
from ingestion.recognising.legal_forms import without_form
from ingestion.recognising.mention import Found
from ingestion.recognising.words import is_generic, tokens

# Lets a letter or an ending differ in a long name, and nothing in a short one.
NEAR = 94.0
# From here on a person is offered it; another key is never quite the same name.
ALIKE, NOT_THE_SAME = 75.0, 99.0
SHORTEST_NEAR = 9


@dataclass(frozen=True, slots=True)
class Entry:
    """One name of one company; several entries may share the id."""

    company: int
    name: str
    ticker: str = ""


@dataclass(slots=True)
class Matcher:
    """Companies by their names; make one by `Matcher.of` and keep it, near spelling is slow."""

    keys: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    tickers: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    near: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> Matcher:
        matcher = cls()
        for entry in entries:
            for key in _keys(entry.name):
                matcher.keys[key].add(entry.company)
            if entry.ticker:
                matcher.tickers[_ticker(entry.ticker)].add(entry.company)
            core = _core(entry.name)
            if len(core) >= SHORTEST_NEAR:
                matcher.near[core].add(entry.company)
        return matcher

    def company(self, name: str, ticker: str = "") -> int | None:
        """The one company of this name; None where there is none, or more than one.

        A ticker written beside the name decides between companies of one name, and contradicts.
        """
        listed = self.tickers.get(_ticker(ticker), set()) if ticker else set()
        for key in _keys(name):
            found = self.keys.get(key, set())
            if found:
                both = found & listed if listed else found
                return _only(both)
        return _only(self._near(name) or listed)

    def offers(self, name: str, most: int = 8) -> dict[int, float]:
        """Companies that a person might mean by it, with how near the spelling is: up to 100.

        All of the same key have 100, whatever `company` makes of them.
        """
        found: dict[int, float] = {}
        for key in _keys(name):
            found |= dict.fromkeys(sorted(self.keys.get(key, set())), 100.0)
        core = _core(name)
        rows = process.extract(
            core, self.near.keys(), scorer=fuzz.ratio, score_cutoff=ALIKE, limit=most
        )
        for other, score, _ in rows:
            for company in sorted(self.near[other]):
                found.setdefault(company, float(min(score, NOT_THE_SAME)))
        return dict(list(found.items())[:most])

    def _near(self, name: str) -> set[int]:
        core = _core(name)
        if len(core) < SHORTEST_NEAR:
            return set()
        rows = process.extract(
            core, self.near.keys(), scorer=fuzz.ratio, score_cutoff=NEAR, limit=3
        )
        first, digits = core.split()[0], re.findall(r"\d+", core)
        return {
            company
            for other, _, _ in rows
            if other.split()[0] == first and re.findall(r"\d+", other) == digits
            for company in self.near[other]
        }


def link(
    mentions: Sequence[Found], matcher: Matcher, filer: int | None, filer_names: Iterable[str]
) -> list[int | None]:
    """The company of each mention of one document, in the same order.

    Beyond the matcher it knows the filer's short names, what the document itself defines
    (`value["short"]`), a unique leading part of a longer name ("Hilton"), and "the Company".
    """
    own, short = _own(filer_names) if filer else (set(), set())
    known: dict[str, int | None] = {}
    tickers = {m.name: m.value["ticker"] for m in mentions if "ticker" in m.value}
    for name in {m.name for m in mentions if not m.value.get("reference")}:
        is_own = not own.isdisjoint(_keys(name))
        known[name] = filer if is_own else matcher.company(name, tickers.get(name, ""))
        # The filer's first word is the filer, unless it is another company's name.
        if known[name] is None and name.lower() in short and name not in tickers:
            known[name] = filer
    shorts = _defined(mentions, known)
    leading = _leading(known)

    def company_of(mention: Found) -> int | None:
        if mention.value.get("reference"):
            return filer
        if mention.name in shorts:
            return shorts[mention.name]
        found = known[mention.name]
        return found if found is not None else leading.get(mention.name.lower())

    return [company_of(mention) for mention in mentions]


def _own(names: Iterable[str]) -> tuple[set[str], set[str]]:
    """The keys of the filer's names, and its short names: leading words that are not everyday."""
    names = list(names)
    keys = {key for name in names for key in _keys(name)}
    short: set[str] = set()
    for name in names:
        words = without_form(name).split()
        first = words[0].lower() if words else ""
        if len(words) > 1 and len(first) > 3 and not is_generic(first):
            short.update(" ".join(words[:count]).lower() for count in range(1, len(words)))
    return keys, short


def _defined(mentions: Sequence[Found], known: dict[str, int | None]) -> dict[str, int | None]:
    """Short name -> company; None where the document defines it for two."""
    meant: dict[str, set[int | None]] = defaultdict(set)
    for mention in mentions:
        if "short" in mention.value:
            meant[mention.value["short"]].add(known[mention.name])
    return {short: ids.pop() if len(ids) == 1 else None for short, ids in meant.items()}


def _leading(known: dict[str, int | None]) -> dict[str, int]:
    """The first words of one linked long name that begin no other name of the document."""
    owners: dict[str, set[int | None]] = defaultdict(set)
    for name, company in known.items():
        words = tokens(name)
        for count in range(1, len(words)):
            owners[" ".join(words[:count]).lower()].add(company)
    return {
        part: company
        for part, ids in owners.items()
        if len(ids) == 1 and len(part) > 2 and (company := next(iter(ids))) is not None
    }


def _keys(name: str) -> list[str]:
    """Its keys, the most exact first; empty strings left out."""
    names = (name, without_form(name), basename(name))
    return [key for key in dict.fromkeys(map(company_key, names)) if key]


def _core(name: str) -> str:
    return " ".join(tokens(basename(without_form(name)).lower()))


def _ticker(ticker: str) -> str:
    return ticker.upper().replace("-", ".")


def _only(found: set[int]) -> int | None:
    return next(iter(found)) if len(found) == 1 else None
