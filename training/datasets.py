"""Examples of a model as snapshots: immutable, hashed, split by document for good.

Gold labels come in once (`gold`) and are carried on; corrections are added as they stand. A
document is dealt to one side when it is first seen and never moves: the test part only grows, by
documents that no version ever learned from.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils import timezone

from docintel.locking import one_at_a_time
from docintel.models import ModelVersion
from docintel.scoring import CannotScore
from extraction.ml import splitting
from extraction.ml.folders import LEARNED
from extraction.ml.spans import Example, LabelledSpan
from extraction.models import Schema
from training import corrected_texts
from training.gate import LEAST_DOCUMENTS
from training.learning.tagger_data import OWN_FILE, Labelled, load
from training.models import Snapshot, SnapshotDocument
from training.version_marks import marks_of

Part = SnapshotDocument.Part
Row = dict[str, Any]
GOLD, CORRECTED = "gold", "corrections"


@dataclass(frozen=True, slots=True)
class Made:
    """The rows of a snapshot to be, the part of each document, and what was left out."""

    rows: list[Row]
    parts: dict[str, str]
    notes: list[str]
    at: datetime


class SnapshotDamaged(CannotScore):
    """A snapshot's file is missing or not what was kept."""


@transaction.atomic
def build(name: str, *, gold: Path | None = None, at: datetime | None = None) -> Snapshot:
    """The snapshot of what is known at a time; the newest one where nothing has changed.

    `gold`: a folder of labelled texts, in place of the gold that the newest snapshot carries.
    Raises CannotScore where there is no example; OSError where the file cannot be written, and
    then no row is there.
    """
    one_at_a_time(f"snapshot:{name}")
    schema = schema_of(name)
    before = newest(name)
    found, notes = _gold_rows(gold, schema, before)
    corrected, left_out = corrected_texts.rows_of(schema, at)
    found += [{**row, "source": CORRECTED} for row in corrected]
    notes += left_out
    if not found:
        raise CannotScore(f"{name} has neither gold nor corrections to learn from")
    parts, moved = _dealt(name, found)
    notes += moved
    for row in found:
        row["split"] = "valid" if parts[row["key"]] == Part.TEST else "train"
    content = _content(found)
    if before is not None and before.digest == hashlib.sha256(content).hexdigest():
        return before
    return _keep(name, content, Made(found, parts, notes, at or timezone.now()))


def newest(name: str, at: datetime | None = None) -> Snapshot | None:
    """The one that a training of that time learned from; now by default."""
    rows = Snapshot.objects.filter(name=name)
    return (rows.filter(created_at__lte=at) if at else rows).order_by("-number").first()


def rows_of(snapshot: Snapshot) -> list[Row]:
    """Its examples, the digest verified. Raises SnapshotDamaged."""
    return [json.loads(line) for line in _bytes(snapshot).decode().splitlines()]


def test_part(snapshot: Snapshot) -> list[Example]:
    """What no version may learn from. Raises SnapshotDamaged."""
    return [as_example(row) for row in rows_of(snapshot) if row["split"] == "valid"]


def judging_part(snapshot: Snapshot) -> list[Example]:
    """The test part as far as it stood before this snapshot; all of it where that is too little.

    What experts corrected last must not be the judge of what was learned from it: a bad batch
    would bring its own gold. Raises SnapshotDamaged.
    """
    tested = test_part(snapshot)
    earlier = SnapshotDocument.objects.filter(
        name=snapshot.name, part=Part.TEST, first__number__lt=snapshot.number
    )
    keys = set(earlier.values_list("key", flat=True))
    proven = [each for each in tested if each.key in keys]
    enough = len({each.key for each in proven if each.spans}) >= LEAST_DOCUMENTS
    return proven if enough else tested


def train_rows(snapshot: Snapshot) -> list[Row]:
    """What is learned from, with whose corrections it is made of. Raises SnapshotDamaged."""
    return [row for row in rows_of(snapshot) if row["split"] == "train"]


def export(snapshot: Snapshot, folder: Path) -> Path:
    """Exactly its bytes as examples.jsonl in the folder, for `train tagger --data`.

    Raises SnapshotDamaged.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / OWN_FILE
    temporary = path.with_suffix(".part")
    temporary.write_bytes(_bytes(snapshot))
    temporary.replace(path)
    return path


def as_example(row: Row) -> Example:
    """Without its history."""
    spans = tuple(LabelledSpan(s["start"], s["end"], s["label"]) for s in row["spans"])
    pairs = tuple((int(head), int(tail)) for head, tail in row.get("relations", ()))
    return Example(row["key"], row["text"], spans, pairs)


def schema_of(name: str) -> Schema:
    """The schema of "tagger:kpis". Raises CannotScore."""
    kind, _, schema = name.partition(":")
    found = Schema.objects.filter(name=schema).first() if kind == "tagger" else None
    if found is None:
        raise CannotScore(f"{name} is no tagger of a schema; snapshots are of tagger:SCHEMA")
    return found


def _gold_rows(
    folder: Path | None, schema: Schema, before: Snapshot | None
) -> tuple[list[Row], list[str]]:
    if folder is not None:
        labelled: Labelled = load(folder, schema.read().label_names)
        rows = [
            _row(example, "test" if part == "valid" else "train" if part == "train" else "")
            for part, examples in labelled.parts.items()
            for example in examples
        ]
        return rows, list(labelled.notes)
    carried = rows_of(before) if before else []
    return [row for row in carried if row["source"] == GOLD], []


def _row(example: Example, wish: str) -> Row:
    return {
        "key": example.key,
        "text": example.text,
        "spans": [{"start": s.start, "end": s.end, "label": s.label} for s in example.spans],
        "relations": [list(pair) for pair in example.relations],
        "source": GOLD,
        "wish": wish,
    }


def _dealt(name: str, rows: Iterable[Row]) -> tuple[dict[str, str], list[str]]:
    """Part of each document: as it was dealt, else as gold wishes, else by a hash of its key."""
    known = dict(SnapshotDocument.objects.filter(name=name).values_list("key", "part"))
    learned = learned_marks(name)
    parts: dict[str, str] = {}
    notes = []
    for row in rows:
        key, wish = row["key"], row.pop("wish", "")
        if key in parts:
            continue
        by_hash = Part.TEST if splitting.tenth(key) in splitting.TESTED else Part.TRAIN
        part = known.get(key) or wish or str(by_hash)
        if part == Part.TEST and key not in known and splitting.mark(key) in learned:
            part = str(Part.TRAIN)
            notes.append(f"{key} is learned from, not tested on: a version has learned from it")
        parts[key] = part
    return parts, notes


def learned_marks(name: str) -> frozenset[str]:
    """The marks of all documents that any version of this name learned from."""
    found: set[str] = set()
    for version in ModelVersion.objects.filter(name=name, files__has_key=LEARNED):
        found |= marks_of(version) or set()
    return frozenset(found)


def _content(rows: Iterable[Row]) -> bytes:
    """One row a line, in an order of their own: the same examples give the same bytes."""
    lines = [json.dumps(row, sort_keys=True, ensure_ascii=False) for row in rows]
    return "".join(f"{line}\n" for line in sorted(lines)).encode()


def _keep(name: str, content: bytes, made: Made) -> Snapshot:
    """File first, then the rows: no row is without its file."""
    number = Snapshot.objects.filter(name=name).count() + 1
    place = f"snapshots/{name.replace(':', '.')}/{number}.jsonl"
    _store(place, content)
    rows, parts = made.rows, made.parts
    ids = [each["id"] for row in rows for each in row.get("corrections", ())]
    snapshot = Snapshot.objects.create(
        name=name,
        number=number,
        digest=hashlib.sha256(content).hexdigest(),
        file=place,
        as_of=made.at,
        last_correction=max(ids, default=0),
        corrections=len(ids),
        examples=len(rows),
        test_examples=sum(row["split"] == "valid" for row in rows),
        documents=len(parts),
        test_documents=sum(part == Part.TEST for part in parts.values()),
        notes=made.notes,
    )
    dealt = SnapshotDocument.objects.filter(name=name).values_list("key", flat=True)
    SnapshotDocument.objects.bulk_create(
        SnapshotDocument(name=name, key=key, part=parts[key], first=snapshot)
        for key in sorted(parts.keys() - set(dealt))
    )
    return snapshot


def _store(place: str, content: bytes) -> None:
    """Raises OSError; then nothing is left there."""
    # What a killed process left: no row names it.
    default_storage.delete(place)
    try:
        stored = default_storage.save(place, ContentFile(content))
        with default_storage.open(stored) as file:
            whole = file.read() == content
        if stored != place or not whole:
            raise OSError(f"{place} was not stored as it was")  # noqa: TRY301
    except OSError:
        default_storage.delete(place)
        raise


def _bytes(snapshot: Snapshot) -> bytes:
    try:
        with default_storage.open(snapshot.file) as file:
            content: bytes = file.read()
    except OSError as error:
        raise SnapshotDamaged(f"{snapshot}: {snapshot.file} cannot be read: {error}") from error
    if hashlib.sha256(content).hexdigest() != snapshot.digest:
        raise SnapshotDamaged(f"{snapshot}: {snapshot.file} is not what was kept")
    return content
