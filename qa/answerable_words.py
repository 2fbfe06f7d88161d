"""What of a question must stand in a passage: its content words with weights, and synonyms.

Names, periods and kinds are looked at elsewhere, so they are left out here.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ingestion.lexical import stems, term_of
from ingestion.models import CorpusStatistics, TermStatistic
from qa.checking import wording
from qa.excerpts import words
from qa.understood import MetricRead, Understanding

DATA = Path(__file__).with_name("answerable_words.toml")
SYNONYM = 0.75  # of a word's weight, where only another of the same meaning is there
_SENTENCE = re.compile(r"\S(?:.*?[.?!](?=\s+[A-Z“\"'(])|.*\Z)", re.DOTALL)
SATURATION = 1.2  # k1 of BM25
UNKNOWN_CHUNKS = 1_000


@dataclass(frozen=True, slots=True)
class Needed:
    """One thing to be found: a word, or a metric by any of its names. `weight` is an idf."""

    shown: str
    weight: float
    ways: tuple[frozenset[str], ...]  # any of them, all stems of it
    metric: bool = False
    meanings: tuple[frozenset[str], ...] = ()  # these too, for less


@dataclass(frozen=True, slots=True)
class Held:
    """A passage or a sentence of one, as stems with their counts."""

    counts: Counter[str]

    def share(self, needed: Needed) -> float:
        """How far it has what is needed: 1 as asked, less by another word, 0 not at all."""
        if any(way <= self.counts.keys() for way in needed.ways):
            return 1.0
        return SYNONYM if any(way <= self.counts.keys() for way in needed.meanings) else 0.0

    def frequency(self, needed: Needed) -> int:
        """How often the rarest stem of the best way occurs."""
        return max(
            (min(self.counts[stem] for stem in way) for way in needed.ways if way), default=0
        )


def asks_for_private(understanding: Understanding) -> bool:
    """Whether it asks for a person's private particulars; names of companies are left out."""
    text = _without(understanding.question, [(c.start, c.end) for c in understanding.companies])
    for name in understanding.unlinked:
        text = text.replace(name, " ")
    if not _any_of("private").search(text):
        return False
    return bool(understanding.unlinked or _any_of("persons").search(text))


def blanked(understanding: Understanding) -> str:
    """The question without remarks, companies, periods and kinds of documents; offsets hold."""
    spans = [(read.start, read.end) for read in understanding.companies]
    spans += [(read.start, read.end) for read in understanding.ambiguous]
    spans += [(read.start, read.end) for read in understanding.periods]
    spans += [(read.start, read.end) for read in understanding.kind_reads]
    return _without(without_remarks(understanding), spans)


def without_remarks(understanding: Understanding) -> str:
    """The question without sentences that say how to answer, or for whom; offsets hold.

    Kept are those that ask, and those that name a company, a period, a metric or a name; where
    none does, all.
    """
    text = understanding.question
    named = [read.start for read in understanding.companies]
    named += [read.start for read in understanding.periods]
    named += [read.start for read in understanding.metrics]
    spans = [match.span() for match in _SENTENCE.finditer(text)]
    kept = [
        (start, end)
        for start, end in spans
        if text[start:end].rstrip().endswith("?")
        or any(start <= place < end for place in named)
        or any(name in text[start:end] for name in understanding.unlinked)
    ]
    if not kept:
        return text
    return _without(text, [span for span in spans if span not in kept])


def needed(understanding: Understanding) -> list[Needed]:
    """What a passage must hold, heaviest first; empty where the question says nothing."""
    text = understanding.question
    spans = [(read.start, read.end) for read in understanding.metrics]
    left = _without(blanked(understanding), spans)
    for name in understanding.unlinked:
        left = left.replace(name, " ")
    asked = [w for w in dict.fromkeys(words(left)) if _says_something(w)]
    alternatives = {w: _alternatives(w, understanding) for w in asked}
    names = {read: _names(read, text[read.start : read.end]) for read in understanding.metrics}
    vocabulary = set(asked)
    vocabulary |= {p for found in alternatives.values() for way in found for p in way}
    vocabulary |= {p for found in names.values() for way in found for p in way}
    stem_of = stems(vocabulary)
    idf = _idf({stem for stem in stem_of.values() if stem})
    rows = [_of_metric(read, names[read], stem_of, idf) for read in names]
    for word in asked:
        stem = stem_of.get(word, "")
        if not stem:
            continue
        ways = tuple(_stemmed(alternatives[word], stem_of))
        rows.append(Needed(word, idf[stem], (frozenset((stem,)),), meanings=ways))
    return sorted(_distinct(rows), key=lambda row: -row.weight)


def held(texts: Sequence[str]) -> list[Held]:
    """Each text as stems; one round trip for all words that are new to this process."""
    split = [words(text) for text in texts]
    stem_of = stems(set().union(*split)) if split else {}
    return [Held(Counter(stem_of[word] for word in row if stem_of[word])) for row in split]


def coverage(needs: Sequence[Needed], found: Held) -> float:
    """The share of the weight that is held, 0 to 1; 1 where nothing is needed."""
    total = sum(row.weight for row in needs)
    return sum(row.weight * found.share(row) for row in needs) / total if total else 1.0


def keyword_score(needs: Sequence[Needed], found: Held) -> float:
    """Saturated term frequency times idf over the most that the question could get, 0 to 1."""
    total = sum(row.weight for row in needs)
    if not total:
        return 1.0
    return sum(row.weight * _saturated(found.frequency(row)) for row in needs) / total


def together(parts: Iterable[Held]) -> Held:
    """All of them as one text."""
    counts: Counter[str] = Counter()
    for part in parts:
        counts.update(part.counts)
    return Held(counts)


def greatest_weight() -> float:
    """The idf of a word that occurs nowhere."""
    n_chunks = CorpusStatistics.current().n_chunks or UNKNOWN_CHUNKS
    return math.log(1 + (n_chunks + 0.5) / 0.5)


def _saturated(frequency: int) -> float:
    return frequency * (SATURATION + 1) / (frequency + SATURATION) / (SATURATION + 1)


def _without(text: str, spans: Iterable[tuple[int, int]]) -> str:
    # Translated letter by letter, so that offsets hold.
    for start, end in spans:
        text = text[:start] + " " * (end - start) + text[end:]
    return text


def _says_something(word: str) -> bool:
    if len(word) < 3 or any(map(str.isdigit, word)):
        return False
    bare = word.removesuffix("'s").removesuffix("’s")
    return bare not in _frame() and bare not in wording.STOP


def _alternatives(word: str, understanding: Understanding) -> list[list[str]]:
    """Other words of the same meaning: of the thesaurus for the phrase it is in, of the lists."""
    found = [
        words(term.term)
        for term in understanding.expansions
        if term.why.startswith(("thesaurus", "learned"))
        and word in words(term.why.partition(":")[2])
    ]
    return [*found, *([other] for other in _same().get(wording.stem(word), ()))]


def _names(read: MetricRead, asked_as: str) -> list[list[str]]:
    asked = (asked_as, read.name, *read.items, *read.ingredients)
    return [[w for w in words(name) if len(w) > 1] for name in asked]


def _of_metric(
    read: MetricRead, names: list[list[str]], stem_of: dict[str, str], idf: dict[str, float]
) -> Needed:
    ways = tuple(dict.fromkeys(_stemmed(names, stem_of)))
    weight = max((max(idf[stem] for stem in way) for way in ways), default=0.0)
    return Needed(read.name, weight, ways, metric=True)


def _stemmed(ways: Iterable[list[str]], stem_of: dict[str, str]) -> Iterable[frozenset[str]]:
    for way in ways:
        found = frozenset(stem_of[word] for word in way if stem_of.get(word))
        if found:
            yield found


def _idf(found: set[str]) -> dict[str, float]:
    n_chunks = CorpusStatistics.current().n_chunks or UNKNOWN_CHUNKS
    terms = {stem: term_of(stem) for stem in found}
    known = dict(
        TermStatistic.objects.filter(term__in=set(terms.values())).values_list(
            "term", "document_frequency"
        )
    )
    seen = {stem: min(known.get(term, 0), n_chunks) for stem, term in terms.items()}
    return {stem: math.log(1 + (n_chunks - n + 0.5) / (n + 0.5)) for stem, n in seen.items()}


def _distinct(rows: Iterable[Needed]) -> list[Needed]:
    return list({row.ways: row for row in rows if row.ways}.values())


@cache
def _data() -> dict[str, object]:
    return tomllib.loads(DATA.read_text(encoding="utf-8"))


@cache
def _frame() -> frozenset[str]:
    return frozenset(str(_data()["frame"]).split())


@cache
def _any_of(name: str) -> re.Pattern[str]:
    """Any phrase of a list of the data; "*" stands for one to four words."""
    listed = _data()[name]
    assert isinstance(listed, list)
    ways = (r"\W+(?:\w+\W+){1,4}".join(map(_spaced, way.split(" * "))) for way in listed)
    return re.compile(rf"\b(?:{'|'.join(ways)})\b", re.IGNORECASE)


def _spaced(phrase: str) -> str:
    return r"\s+".join(map(re.escape, phrase.split()))


@cache
def _same() -> dict[str, tuple[str, ...]]:
    """Per rough stem the words of its lines of meanings and directions."""
    made: dict[str, set[str]] = {}
    listed = _data()["directions"]
    assert isinstance(listed, list)
    for line in [*wording.meaning_lines(), *(line.split() for line in listed)]:
        for word in line:
            made.setdefault(wording.stem(word), set()).update(line)
    return {stem: tuple(sorted(found)) for stem, found in made.items()}
