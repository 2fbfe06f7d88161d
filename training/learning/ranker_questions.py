"""Questions with graded passages, mined from the filings that are indexed.

A row of a table asks for its label, a heading for what stands under it, a sentence of prose for
itself, in its own words or, for a part of each, in words of like meaning. No evaluation question is
used.
A passage's grade comes from where it stands: the asked company's filing of the asked year and, for
a metric, the statement that holds it.
"""

from __future__ import annotations

import random
import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from ingestion.models import Document
from ingestion.recognising import metrics as recognised
from qa.passages import Passage
from qa.question.asked_items import Item, items
from qa.question.wording import plain
from qa.ranking.ranking_features import PRIMARY, content_words, word_list
from training.learning.rewording import Rewording

TEMPLATES = Path(__file__).with_name("ranker_templates.toml")
KINDS = ("annual_report", "quarterly_report")
# A filing gives this many questions of each sort, so that long ones do not outweigh the others.
METRICS, ROWS, RATIOS, HEADINGS, SENTENCES = 5, 4, 2, 4, 6
# Of a sentence's content words, rarest first, the share that a question about it does without: who
# asks does not know how the document puts it.
UNSAID = 0.4
SAID = 0.7  # of those left, the share that the question says
# The shares of these questions that say none of the sentence's own words, or another clause than
# its own; and of those about rows and headings.
REWORDED, RETOLD = 0.3, 0.4
LABELS_REWORDED = 0.6
FEWEST_OTHERS = 2  # words of a label that have another, for it to be reworded
_FIGURE = re.compile(r"\d")
_SENTENCE = re.compile(r"(?<=[.!?]\s)[A-Z][^.!?\n|]{80,260}\.(?=\s)")
_WORD = re.compile(r"[^\W\d_]+(?:[&'’-][^\W\d_]+)*")
_LABEL = re.compile(r"^[^\d$(]{6,70}")
_DULL = re.compile(r"\b(?:total|other|item|part|note|signature|exhibit|page|table|index)\b", re.I)


@dataclass(frozen=True, slots=True)
class Mined:
    """A question, and what a passage must be to answer it.

    `labels` are row labels as word lists, of which a passage must hold one (of each group in
    turn, for a ratio any); `heading` a last heading; `sentence` what a passage must say.
    """

    text: str
    sort: str
    company: int
    year: int
    document: int
    labels: tuple[tuple[str, ...], ...] = ()
    statements: tuple[str, ...] = ()
    heading: str = ""
    sentence: str = ""


def mine(documents: Sequence[Document], rewording: Rewording, seed: int = 0) -> Iterator[Mined]:
    """Questions of reports with a company and a fiscal year; the same for the same seed."""
    newest: dict[int, int] = {}
    for document in documents:
        if document.company_id and document.fiscal_year:
            known = newest.get(document.company_id, 0)
            newest[document.company_id] = max(known, document.fiscal_year)
    for document in documents:
        if document.company_id is None or document.fiscal_year is None:
            continue
        # Seeded per filing: another filing in the corpus changes no other's questions.
        chance = random.Random(f"{seed}:{document.text_sha256}")  # noqa: S311
        is_newest = document.fiscal_year == newest[document.company_id]
        yield from _of_metrics(document, chance, is_newest=is_newest)
        yield from _of_labels(document, chance, rewording)
        yield from _of_prose(document, chance, rewording)


def grade(mined: Mined, passage: Passage, document: Document) -> int:
    """0 to 3: how well this passage answers.

    3 in the year's own filing and, for a metric, its statement; 2 a row of that filing elsewhere in
    a primary statement, 1 elsewhere, or in the next two years' comparative columns.
    """
    if document.company_id != mined.company or document.fiscal_year is None:
        return 0
    later = document.fiscal_year - mined.year
    if mined.heading:
        same = passage.section.split(" › ")[-1].strip().lower() == mined.heading
        return 3 if same and document.pk == mined.document else 0
    if mined.sentence:
        says = mined.sentence in " ".join(passage.text.split())
        return (3 if document.pk == mined.document else 2) if says else 0
    if not 0 <= later <= 2 or not _has_row(passage.text, mined.labels):
        return 0
    fits = passage.statement in mined.statements if mined.statements else False
    primary = passage.statement in PRIMARY
    if later:
        return 1 if fits and document.kind == "annual_report" else 0
    if document.pk != mined.document:
        return 1 if fits or primary else 0
    if mined.statements:
        return 3 if fits else (2 if primary else 1)
    return 3


def _has_row(text: str, labels: Sequence[tuple[str, ...]]) -> bool:
    """Whether a line begins with one of the labels and goes on with a figure."""
    for line in text.splitlines():
        if not _FIGURE.search(line):
            continue
        words = word_list(line)
        for label in labels:
            rest = words[len(label) :]
            if words[: len(label)] == label and any(word[0].isdigit() for word in rest[:12]):
                return True
    return False


def _of_metrics(document: Document, chance: random.Random, *, is_newest: bool) -> Iterator[Mined]:
    rows = _rows(document)
    known = [item for item in items().values() if item.items]
    plain = [i for i in known if not i.formula and any(_in(rows, name) for name in i.items)]
    ratios = [i for i in known if i.formula and any(_in(rows, name) for name in i.items)]
    for item in _some(chance, plain, METRICS):
        yield _metric(document, item, chance, is_newest=is_newest)
    for item in _some(chance, ratios, RATIOS):
        yield _metric(document, item, chance, is_newest=False)


def _of_labels(document: Document, chance: random.Random, rewording: Rewording) -> Iterator[Mined]:
    """Of rows that no metric is known for, and of headings."""
    labels = sorted(label for label in _rows(document).values() if len(label.split()) > 1)
    labels = [label for label in labels if not _DULL.search(label)]
    for label in _some(chance, labels, ROWS):
        sort, what = _put("row", label, chance, rewording)
        text = _worded(document, what, chance, "figure", "change")
        yield _mined(document, text, sort, labels=(word_list(label),))
    titles = {section["title"].strip() for section in document.sections}
    headings = sorted(t for t in titles if 2 <= len(t.split()) <= 9 and not _DULL.search(t))
    for heading in _some(chance, headings, HEADINGS):
        sort, what = _put("heading", heading, chance, rewording)
        text = _worded(document, what, chance, "prose")
        yield _mined(document, text, sort, heading=heading.lower())


def _put(sort: str, label: str, chance: random.Random, rewording: Rewording) -> tuple[str, str]:
    """The sort of the question and how it puts the label: as it is, or in other words."""
    others = rewording.of(_WORD.findall(label)) if chance.random() < LABELS_REWORDED else []
    if len(others) < FEWEST_OTHERS:
        return sort, label.lower()
    return f"{sort} reworded", " ".join(others)


def _of_prose(document: Document, chance: random.Random, rewording: Rewording) -> Iterator[Mined]:
    for sentence in _some(chance, _sentences(document.text), SENTENCES):
        sort, what = "sentence", _gist(sentence, document.text, chance)
        drawn = chance.random()
        if drawn < REWORDED:
            content = content_words(sentence)
            words = [word for word in _WORD.findall(sentence) if plain(word) in content]
            others = rewording.of(words)
            kept = [word for word in others if chance.random() < SAID]
            sort, what = "reworded", " ".join(kept or others)
        elif drawn < REWORDED + RETOLD:
            sort, what = "retold", rewording.retold(sentence, chance)
        if what:
            text = _worded(document, what, chance, "said", "prose")
            yield _mined(document, text, sort, sentence=sentence)


def _sentences(text: str) -> list[str]:
    """Of prose with few figures, each once."""
    found = (" ".join(match.split()) for match in _SENTENCE.findall(text))
    return list(dict.fromkeys(each for each in found if len(_FIGURE.findall(each)) <= 2))


def _gist(sentence: str, text: str, chance: random.Random) -> str:
    """Some of the sentence's words that the document uses most, in their order."""
    counts = _counts(text)
    content = content_words(sentence)
    said = sorted(content, key=lambda word: (counts[word], word))[int(len(content) * UNSAID) :]
    kept = {word for word in said if chance.random() < SAID}
    words = [word for word in _WORD.findall(sentence) if plain(word) in kept]
    return " ".join(dict.fromkeys(words)).lower() or said[-1]


@lru_cache(maxsize=1)
def _counts(text: str) -> Counter[str]:
    return Counter(word_list(text))


def _metric(document: Document, item: Item, chance: random.Random, *, is_newest: bool) -> Mined:
    name = chance.choice([item.name, *_synonyms().get(item.name, ())])
    labels = tuple(word_list(label) for label in item.items)
    sorts = ("newest",) if is_newest and chance.random() < 0.3 else ("figure", "figure", "change")
    text = _worded(document, name, chance, *sorts)
    sort = "ratio" if item.formula else "metric"
    return _mined(document, text, sort, labels=labels, statements=item.statements)


def _mined(document: Document, text: str, sort: str, **fields: Any) -> Mined:
    assert document.company_id is not None
    assert document.fiscal_year is not None
    return Mined(text, sort, document.company_id, document.fiscal_year, document.pk, **fields)


def _worded(document: Document, what: str, chance: random.Random, *sorts: str) -> str:
    assert document.company is not None
    assert document.fiscal_year is not None
    tables = _templates()
    template = chance.choice(tables[chance.choice(sorts)])
    year = document.fiscal_year
    when = chance.choice(tables["when"]).format(year=year, short=f"{year % 100:02d}")
    who = document.company.name
    if document.company.ticker and chance.random() < 0.1:
        who = document.company.ticker
    return template.format(what=what, who=who, when=when)


def _rows(document: Document) -> dict[tuple[str, ...], str]:
    """The labels of its tables' rows as written, by their words."""
    lines = [document.text[start:end] for table in document.tables for start, end in table["rows"]]
    return {word_list(label[0]): label[0].strip(" .:—-") for label in _labels(lines)}


def _labels(lines: Sequence[str]) -> Iterator[re.Match[str]]:
    for line in lines:
        label = _LABEL.match(line)
        if label and any(map(str.isdigit, line[label.end() :])):
            yield label


def _in(rows: dict[tuple[str, ...], str], name: str) -> bool:
    words = word_list(name)
    return any(row[: len(words)] == words for row in rows)


def _some(chance: random.Random, values: Sequence[Any], n: int) -> list[Any]:
    return chance.sample(values, min(n, len(values)))


@cache
def _templates() -> dict[str, list[str]]:
    return tomllib.loads(TEMPLATES.read_text(encoding="utf-8"))


@cache
def _synonyms() -> dict[str, list[str]]:
    rows = tomllib.loads(recognised.DATA.read_text(encoding="utf-8"))["metric"]
    return {row["name"]: row["synonyms"] for row in rows}
