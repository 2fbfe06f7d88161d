"""Which corrections made a candidate worse: it is learned again without each group of them.

Groups are the corrections of an expert, of a day, and of a label. To be affordable only the heads
learn, over the encoder as it is; the difference that a group makes is what counts, not the score.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from docintel import artefacts
from docintel.models import ModelVersion
from extraction import base_encoders
from extraction.ml.folders import read_sheet
from extraction.ml.spans import Example
from training import datasets, gate
from training.datasets import Row
from training.evaluation.span_scores import Judged, documents_of, f1, overlap_counts, strict_counts
from training.models import Snapshot

# Fewer cannot be told from the chance of a training.
LEAST = 5
MOST_GROUPS = 10
SEED = 7
STEPS = 300
EVERY = "every correction"


@dataclass(frozen=True, slots=True)
class Group:
    """Corrections that have something in common: `kind` is expert, day, label or all."""

    kind: str
    name: str
    corrections: int


@dataclass(frozen=True, slots=True)
class Blame:
    """How much better the score is without a group, with its paired 95 % interval."""

    kind: str
    name: str
    corrections: int
    gained_without: float
    interval: tuple[float, float]

    @property
    def hurt(self) -> bool:
        return self.interval[0] > 0


def blame(candidate: ModelVersion, snapshot: Snapshot, steps: int = STEPS) -> list[dict[str, Any]]:
    """A row for each group, the most harmful first; empty where no correction was learned from.

    Takes a training of heads for each group: seconds on a GPU, half a minute on two cores. Raises
    ArtefactDamaged, BadArtefact, WeightsUnavailable.
    """
    # Seconds to load, and only a rejected candidate needs it.
    from training.learning.learning_heads import Classroom  # noqa: PLC0415

    rows = datasets.train_rows(snapshot)
    found = list(groups(rows))
    if not found:
        return []
    sheet = read_sheet(artefacts.open_folder(candidate))
    folder = base_encoders.folder_of(candidate.base_encoder)
    classroom = Classroom(folder, sheet.design, steps=steps)
    tested = datasets.judging_part(snapshot)
    count = len({each.key for each in tested})

    def score(kept: Sequence[Row]) -> gate.Measure:
        tagger = classroom.learn([datasets.as_example(row) for row in kept], SEED)
        return _f1_of(tested, tagger.tag([each.text for each in tested]), sheet.design.match)

    whole = score(rows)
    blamed = []
    for group in found:
        kept = [row for row in rows if not _has(row, group)]
        if not any(row["spans"] for row in kept):
            continue
        gained, interval = gate.difference(score(kept), whole, count)
        told = Blame(group.kind, group.name, group.corrections, gained, interval)
        blamed.append({**asdict(told), "hurt": told.hurt})
    return sorted(blamed, key=lambda row: -row["gained_without"])


def groups(rows: Sequence[Row]) -> Iterator[Group]:
    """All of them, then those with most corrections; the kinds that tell nothing apart left out."""
    counts: dict[tuple[str, str], int] = defaultdict(int)
    total = 0
    for row in rows:
        for said in row.get("corrections", ()):
            total += 1
            for kind in ("who", "day", "label"):
                counts[kind, said[kind]] += 1
    if total < LEAST:
        return
    yield Group("all", EVERY, total)
    telling = [
        (count, kind, name) for (kind, name), count in counts.items() if LEAST <= count < total
    ]
    for count, kind, name in sorted(telling, reverse=True)[: MOST_GROUPS - 1]:
        yield Group({"who": "expert"}.get(kind, kind), name, count)


def _has(row: Row, group: Group) -> bool:
    said = row.get("corrections", ())
    if group.kind == "all":
        return bool(said)
    key = {"expert": "who"}.get(group.kind, group.kind)
    return any(each[key] == group.name for each in said)


def _f1_of(tested: Sequence[Example], found: Sequence[Any], match: str) -> gate.Measure:
    judged = [
        Judged(each.key, each.text, each.spans, tuple(spans))
        for each, spans in zip(tested, found, strict=True)
    ]
    counts = strict_counts(judged) if match == "exact" else overlap_counts(judged)
    return f1(counts, documents_of(judged))
