"""Company names and tickers in a question, by the names of a catalogue; knows no database.

What several companies may be called stays several; who decides knows which have documents. Trap:
"Target", "Gap" and "Block" are words too, so letter case, place and possessive count.
"""

from __future__ import annotations

import re
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rapidfuzz import process
from rapidfuzz.distance import OSA

from ingestion.metadata import company_key
from ingestion.recognising.matching import Entry
from ingestion.recognising.names import without_form
from ingestion.recognising.words import is_generic

NICKNAMES = Path(__file__).with_name("nicknames.toml")
LONGEST = 7  # words of a name
MOST_MISSPELT = 12  # words looked up by near spelling in one question
# Spelling: one slip in a name of so many letters, two in a longer one.
ONE_SLIP, TWO_SLIPS = 5, 10
_WORD = re.compile(r"\$?[^\W_]+(?:[.&'’][^\W_]+)*")
_GAP = re.compile(r"(?:[.,]?\s{1,2}(?:&\s{1,2}|and\s{1,2})?|\s?[-–&]\s?)", re.I)
_TICKER = re.compile(
    r"(?P<sure>\$|\b(?:NYSE|NASDAQ|LSE|ticker|symbol)\s?:?\s{1,2}\(?|\b(?:NYSE|NASDAQ|LSE):|\()?"
    r"(?P<ticker>(?<![\w&.-])(?!(?:NYSE|NASDAQ|LSE|ticker|symbol)\b)[A-Za-z]{1,5}(?:[.-][A-Za-z])?)(?![\w&]|[-.]\w|'[a-rt-z])"
)
_LISTS = {
    name: frozenset(words.split())
    for name, words in tomllib.loads(
        Path(__file__).with_name("no_names.toml").read_text(encoding="utf-8")
    ).items()
}
_NO_TICKER, _EVERYDAY = _LISTS["no_ticker"], _LISTS["everyday"]


@dataclass(frozen=True, slots=True)
class NameFound:
    """A span that may name these companies. `how`: name, nickname, ticker, part or spelling.

    An unsure one (`sure` false) could be an ordinary word: it needs documents to be believed.
    """

    start: int
    end: int
    ids: frozenset[int]
    how: str
    sure: bool = True
    everyday: bool = False


@dataclass(slots=True)
class NameIndex:
    """A catalogue's names by their keys; make one by `of` and keep it (seconds for thousands)."""

    names: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    nicknames: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    leading: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    tickers: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    firsts: set[str] = field(default_factory=set)
    spellings: dict[str, dict[str, set[int]]] = field(default_factory=dict)

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> NameIndex:
        index = cls()
        for entry in entries:
            index._add(entry)
        for nickname, keys in tomllib.loads(NICKNAMES.read_text(encoding="utf-8")).items():
            ids = {pk for key in keys for pk in index.names.get(key, ())}
            if ids:
                index.nicknames[_key(_words(nickname))] |= ids
                index.firsts.add(_first(nickname))
        for key, ids in (*index.leading.items(), *index.names.items()):
            if len(key) >= ONE_SLIP and len(ids) == 1:
                index.spellings.setdefault(key[0], {})[key] = ids
        return index

    def _add(self, entry: Entry) -> None:
        for name in {entry.name, without_form(entry.name)}:
            words = _words(name)
            key = _key(words)
            if not key:
                continue
            self.names[key].add(entry.company)
            self.firsts |= {_first(name), key}
            for count in range(1, min(len(words), LONGEST)):
                part = _key(words[:count])
                if len(part) > 2:
                    self.leading[part].add(entry.company)
        if entry.ticker:
            self.tickers[_ticker(entry.ticker)].add(entry.company)


@dataclass(frozen=True, slots=True)
class _Token:
    word: str  # as written, without a possessive
    merged: str  # with it, as in "McDonald's"
    start: int
    end: int  # of the word without the possessive
    stop: int


def find_names(
    text: str,
    index: NameIndex,
    taken: Sequence[tuple[int, int]] = (),
    known: frozenset[str] = frozenset(),
) -> list[NameFound]:
    """From left to right, without overlaps; spans in `taken` are something else.

    `known` are words (in small letters) of finance, which no misspelt name is taken for.
    """
    tokens = _tokens(text)
    cased = _tells_case(text)
    found: list[NameFound] = []
    at = 0
    while at < len(tokens):
        match, used = _longest(text, tokens, at, index, cased=cased)
        if match and _is_free(match, taken, long=used > 1):
            found.append(match)
            at += used
        else:
            at += 1
    found += _by_ticker(text, index, found, taken, cased=cased)
    found += _by_spelling(text, tokens, index, [*found], taken, known, cased=cased)
    return sorted(found, key=lambda name: name.start)


def unlinked_names(
    text: str, found: Sequence[NameFound], taken: Sequence[tuple[int, int]], known: frozenset[str]
) -> list[tuple[int, int]]:
    """Spans of further names in capitals: people, products, companies that nobody knows."""
    if not _tells_case(text):
        return []
    spans = [(name.start, name.end) for name in found] + list(taken)
    rows: list[tuple[int, int]] = []
    named = set()  # whether a possessive says that it is a name
    for token in _tokens(text):
        word = token.word
        rare = (
            word[0].isupper() and not _is_word(word) and word.lower() not in known and len(word) > 2
        )
        if not rare or (word.isupper() and len(word) < 5) or any(c.isdigit() for c in word):
            continue
        if any(start < token.end and token.start < end for start, end in spans):
            continue
        if rows and text[rows[-1][1] : token.start].strip() == "":
            rows[-1] = (rows[-1][0], token.end)
        else:
            rows.append((token.start, token.end))
        if token.stop > token.end:
            named.add(rows[-1][0])
    # One capital at the start of a sentence says nothing.
    return [
        (start, end)
        for start, end in rows
        if " " in text[start:end] or start in named or not _starts_sentence(text, start)
    ][:8]


def _longest(  # noqa: C901
    text: str, tokens: Sequence[_Token], at: int, index: NameIndex, *, cased: bool
) -> tuple[NameFound | None, int]:
    """The longest full name from this word on; else the longest beginning of one."""
    first = tokens[at]
    if first.word.lower() == "the":
        return None, 0  # Keys are without it; the name begins at the next word.
    heads = {_plain(first.word), _plain(first.merged)}
    if at + 1 < len(tokens):
        heads |= {_plain(first.word) + _plain(tokens[at + 1].word)}
    if heads.isdisjoint(index.firsts) and not any(head in index.leading for head in heads):
        return None, 0
    part: tuple[NameFound | None, int] = None, 0
    windows = _windows(text, tokens, at)
    for count in range(len(windows), 0, -1):
        window = windows[:count]
        for merged in (False, True):
            key = _key(
                [*(t.merged for t in window[:-1]), window[-1].merged if merged else window[-1].word]
            )
            end = window[-1].stop if merged else window[-1].end
            span = (first.start, end)
            everyday = count == 1 and _is_word(first.word)
            if everyday and not first.word[0].isupper():
                continue
            sure = _is_sure(text, window, cased=cased, everyday=everyday)
            for rows, how in ((index.names, "name"), (index.nicknames, "nickname")):
                if ids := rows.get(key):
                    if how == "nickname" and count == 1 and not first.word[0].isupper():
                        sure = False
                    # "Delta" may be all of one name and the beginning of others.
                    return NameFound(*span, frozenset(ids), how, sure, everyday), count
            if part[0] is None and (ids := index.leading.get(key)):
                if all(_is_word(token.word) for token in window):
                    # Everyday words begin too many names: a person has to say which.
                    lone = not _neighbours_capital(text, window)
                    if not (count == 1 and first.word[0].isupper() and cased and lone and sure):
                        continue
                    everyday = True
                part = NameFound(*span, frozenset(ids), "part", sure, everyday), count
    return part


def _windows(text: str, tokens: Sequence[_Token], at: int) -> list[_Token]:
    """The words from here on that could be one name together."""
    rows = [tokens[at]]
    for token in tokens[at + 1 : at + LONGEST]:
        if not _GAP.fullmatch(text[rows[-1].stop : token.start]):
            break
        rows.append(token)
    return rows


def _is_sure(text: str, window: Sequence[_Token], *, cased: bool, everyday: bool) -> bool:
    """Whether this is a name and no word: capital, place in the sentence, possessive."""
    first = window[0]
    if len(window) > 1:
        return not all(_is_word(token.word) for token in window) or any(
            token.word[0].isupper() for token in window
        )
    if first.stop > first.end and first.word[0].isupper():
        return True
    capital = first.word[0].isupper() or any(c.isdigit() for c in first.word)
    if everyday:
        return cased and capital and not _starts_sentence(text, first.start)
    return capital and cased


def _by_ticker(
    text: str,
    index: NameIndex,
    found: Sequence[NameFound],
    taken: Sequence[tuple[int, int]],
    *,
    cased: bool,
) -> list[NameFound]:
    rows: list[NameFound] = []
    for match in _TICKER.finditer(text):
        word = match["ticker"]
        ids = index.tickers.get(_ticker(word))
        if not ids:
            continue
        start, end = match.span("ticker")
        marked = bool(match["sure"])
        start -= marked and match["sure"] == "$"
        spans = [(name.start, name.end) for name in found] + (list(taken) if not marked else [])
        if any(low < end and start < high for low, high in spans):
            continue
        if not marked and (word.upper() in _NO_TICKER or len(word) < 2):
            continue
        if (word.isupper() and (marked or cased)) or (marked and match["sure"] == "$"):
            rows.append(NameFound(start, end, frozenset(ids), "ticker"))
        elif len(word) > 2 and not _is_word(word) and (not cased or word.islower()):
            rows.append(NameFound(start, end, frozenset(ids), "ticker", sure=False))
    return rows


def _by_spelling(  # noqa: PLR0917
    text: str,
    tokens: Sequence[_Token],
    index: NameIndex,
    found: Sequence[NameFound],
    taken: Sequence[tuple[int, int]],
    known: frozenset[str],
    *,
    cased: bool,
) -> list[NameFound]:
    rows: list[NameFound] = []
    spans = [(name.start, name.end) for name in found] + list(taken)
    tried = 0
    for at, first in enumerate(tokens):
        for count in (3, 2, 1):
            window = _windows(text, tokens, at)[:count]
            if len(window) < count or tried >= MOST_MISSPELT * 3:
                continue
            span = (first.start, window[-1].end)
            if any(low < span[1] and span[0] < high for low, high in spans):
                continue
            if any(_is_word(t.word) or t.word.lower() in known or len(t.word) < 3 for t in window):
                continue
            capital = all(token.word[0].isupper() for token in window)
            if cased and not capital and count > 1:
                continue
            tried += 1
            key = _key([token.word for token in window])
            if ids := _near(key, index):
                rows.append(
                    NameFound(*span, frozenset(ids), "spelling", capital and cased and len(key) > 6)
                )
                spans.append(span)
                break
    return rows


def _near(key: str, index: NameIndex) -> set[int]:
    """The companies of the one name within a slip or two; empty for none or several."""
    slips = 2 if len(key) >= TWO_SLIPS else 1
    rows = index.spellings.get(key[:1], {})
    if len(key) < ONE_SLIP or not rows or any(c.isdigit() for c in key):
        return set()
    near = process.extract(key, rows.keys(), scorer=OSA.distance, score_cutoff=slips, limit=4)
    best = [name for name, distance, _ in near if distance == near[0][1]]
    ids = set().union(*(rows[name] for name in best)) if best else set()
    return ids if len(ids) == 1 else set()


def _tokens(text: str) -> list[_Token]:
    rows = []
    for match in _WORD.finditer(text):
        written = match[0]
        if written.startswith("$"):
            continue
        word = re.sub(r"['’][sS]$", "", written)
        rows.append(_Token(word, written, match.start(), match.start() + len(word), match.end()))
    return rows


def _words(name: str) -> list[str]:
    return [match[0] for match in _WORD.finditer(name)]


def _key(words: Iterable[str]) -> str:
    kept = [word for word in words if word.lower() not in ("and", "&")]
    return company_key(" ".join(kept))


def _first(name: str) -> str:
    words = _words(re.sub(r"^the\s+", "", name, flags=re.I))
    return _plain(words[0]) if words else ""


def _plain(word: str) -> str:
    return company_key(word)


def _ticker(ticker: str) -> str:
    return ticker.upper().replace("-", ".")


def _is_word(word: str) -> bool:
    return is_generic(word) or word.lower() in _EVERYDAY


def _is_free(match: NameFound, taken: Sequence[tuple[int, int]], *, long: bool) -> bool:
    """Whether nothing else was read here; a name of several words goes before a word of it."""
    for start, end in taken:
        if start < match.end and match.start < end:
            inside = (
                match.start <= start
                and end <= match.end
                and (end - start) < (match.end - match.start)
            )
            if not (long and inside and match.how == "name"):
                return False
    return True


def _tells_case(text: str) -> bool:
    """Whether capitals mean something here: there are some, and small letters too."""
    letters = [c for c in text if c.isalpha()]
    capitals = sum(c.isupper() for c in letters)
    # "AMD 10-K" is no shouting, "WHAT DID APPLE EARN" is.
    words = sum(len(word) > 2 for word in re.findall(r"[^\W\d_]+", text[:300]))
    return capitals > 0 and (capitals < 0.7 * len(letters) or words < 3)


def _starts_sentence(text: str, at: int) -> bool:
    before = text[:at].rstrip(" \t\n\"'“”‘’(¿¡")
    return not before or before[-1] in ".?!:;\n"


def _neighbours_capital(text: str, window: Sequence[_Token]) -> bool:
    """Whether it is part of a longer name in capitals: "General Counsel", "Attorney General"."""
    after = re.match(r"\s[A-Z][a-z]", text[window[-1].stop : window[-1].stop + 4])
    before = re.search(r"[A-Z][a-z]+\s$", text[max(0, window[0].start - 20) : window[0].start])
    sentence = before and _starts_sentence(text, max(0, window[0].start - 20) + before.start())
    return bool(after or (before and not sentence))
