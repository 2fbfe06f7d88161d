"""Labelled documents: experts' labels in the corpus, and labelled texts in a folder."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from docintel.models import ModelVersion
from docintel.scoring import CannotScore
from ingestion.classifying.pooling import Floats, document_vector
from ingestion.models import Document, TopicLabel
from ingestion.topics import passage_vectors
from training.learning.embedding import passages_of
from training.learning.one_vs_rest import UNKNOWN, Labels

# One document in so many is held out, chosen by its id, so that it stays held out.
HELD_OUT = 5


@dataclass(frozen=True, slots=True)
class Labelled:
    """Documents with what is known of them; `labels` is (documents, topics) in the keys' order."""

    ids: list[str]
    passages: list[Floats]
    labels: Labels

    @property
    def vectors(self) -> Floats:
        return np.stack([document_vector(rows) for rows in self.passages])

    @property
    def held_out(self) -> np.ndarray:
        """Which are kept from training; the same ones in every run."""
        first = [hashlib.sha256(name.encode()).digest()[0] for name in self.ids]
        return np.array(first) % HELD_OUT == 0

    def __add__(self, other: Labelled) -> Labelled:
        return Labelled(
            self.ids + other.ids,
            self.passages + other.passages,
            np.vstack([self.labels, other.labels]),
        )


def gather(
    folder: Path | None, keys: list[str], embedder: ModelVersion, *, labels: bool
) -> Labelled:
    """Labelled documents of the corpus, of the folder, or of both. Raises CannotScore."""
    if folder is None and not labels:
        raise CannotScore("name a folder of labelled texts, or use --from-corpus")
    parts = [from_folder(folder, keys)] if folder else []
    parts += [from_corpus(keys, embedder)] if labels else []
    found = parts[0] if len(parts) == 1 else parts[0] + parts[1]
    if not found.ids:
        raise CannotScore("there are no labelled documents with vectors")
    return found


def from_corpus(keys: list[str], embedder: ModelVersion) -> Labelled:
    """What experts labelled, of documents that have vectors of this embedder."""
    columns = {key: column for column, key in enumerate(keys)}
    said: dict[int, dict[str, bool]] = {}
    for label in TopicLabel.objects.filter(topic__in=keys):
        said.setdefault(label.document_id, {})[label.topic_id] = label.applies
    ids, passages, rows = [], [], []
    ready = Document.objects.filter(pk__in=said, embedder=embedder, embedded_at__isnull=False)
    for document in ready.only("pk", "text_sha256").order_by("pk"):
        vectors = passage_vectors(document, embedder)
        if not len(vectors):
            continue
        row = np.full(len(keys), UNKNOWN, dtype=np.int8)
        for key, applies in said[document.pk].items():
            row[columns[key]] = applies
        ids.append(document.text_sha256 or str(document.pk))
        passages.append(vectors)
        rows.append(row)
    return Labelled(ids, passages, np.array(rows, dtype=np.int8).reshape(-1, len(keys)))


def from_folder(folder: Path, keys: list[str]) -> Labelled:
    """The *.jsonl files of a folder: {"text": …, "topics": [keys]} a line.

    A topic that some line has is a no where a line lacks it; one that no line has stays unknown.
    Texts without words are left out. Raises CannotScore, naming the line.
    """
    files = sorted(folder.glob("*.jsonl")) if folder.is_dir() else []
    if not files:
        raise CannotScore(f"{folder} holds no .jsonl file of labelled texts")
    found = [row for file in files for row in _lines(file, set(keys))]
    used = {key for _, topics in found for key in topics}
    texts = list(dict.fromkeys(text for text, _ in found if text.strip()))
    said = {text: set(topics) for text, topics in found}
    labels = [
        [int(key in said[text]) if key in used else UNKNOWN for key in keys] for text in texts
    ]
    passages = passages_of(texts)
    kept = [index for index, rows in enumerate(passages) if len(rows)]
    return Labelled(
        [hashlib.sha256(texts[index].encode()).hexdigest() for index in kept],
        [passages[index] for index in kept],
        np.array(labels, dtype=np.int8).reshape(-1, len(keys))[kept],
    )


def _lines(file: Path, keys: set[str]) -> Iterator[tuple[str, list[str]]]:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise CannotScore(f"cannot read {file}: {error}") from error
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        where = f"line {number} of {file.name}"
        try:
            row: Any = json.loads(line)
        except ValueError as error:
            raise CannotScore(f"{where} is not JSON: {error}") from error
        good = isinstance(row, dict) and isinstance(row.get("text"), str)
        topics = row.get("topics") if good else None
        if not isinstance(topics, list):
            raise CannotScore(f'{where} is not {{"text": …, "topics": [...]}}')
        unknown = [key for key in topics if key not in keys]
        if unknown:
            raise CannotScore(f"{where} names the topic {unknown[0]!r}, which there is not")
        yield row["text"], topics
