"""Two taggers on documents that neither has learned from, through the code that serves."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docintel.artefacts import ArtefactDamaged
from docintel.models import ModelVersion
from docintel.registry import CannotFlip
from docintel.scoring import CannotScore
from docintel.weights import WeightsUnavailable
from extraction import tagging
from extraction.ml import splitting
from extraction.ml.errors import BadArtefact
from extraction.ml.spans import Example
from extraction.schema import SchemaSpec
from extraction.tagging import TaggerUnavailable
from training import blaming_corrections, datasets
from training.comparing.comparison import LEAST_TIMED, CannotCompare, Comparison
from training.evaluation.extraction import live_schema
from training.evaluation.span_scores import (
    Judged,
    Match,
    by_label,
    by_words,
    documents_of,
    f1,
    overlap_counts,
    strict_counts,
    verdicts,
    words_of,
)
from training.gate import Label, Measured
from training.learning.tagger_data import load
from training.models import Snapshot
from training.version_marks import marks_of

if TYPE_CHECKING:
    from extraction.ml.tagger import Tagger

# Long texts alone, for memory; sentences together, as they are served in a batch.
CHARACTERS_AT_ONCE = 20_000
TEXTS_AT_ONCE = 16
log = logging.getLogger(__name__)


@dataclass(slots=True)
class Seen:
    """What one version made of the texts, and the seconds of each batch."""

    judged: list[Judged] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)


def live(name: str) -> ModelVersion | None:
    """What serves now; the version that comes with the code counts. Raises CannotCompare."""
    try:
        return tagging.live_tagger(schema_of(name))
    except (TaggerUnavailable, CannotFlip) as error:
        raise CannotCompare(str(error)) from error


def schema_of(name: str) -> str:
    """ "kpis" of "tagger:kpis"."""
    return name.partition(":")[2]


def compare(
    candidate: ModelVersion, live: ModelVersion | None, folder: Path | None = None
) -> Comparison:
    """On the newest snapshot's test part, or on what a folder of labelled texts leaves out.

    Raises CannotCompare where no document is left that neither has learned from, or a version
    cannot be loaded.
    """
    schema = schema_of(candidate.name)
    spec = live_schema(schema)
    examples, snapshot = held_out(candidate.name, spec, folder)
    known = [marks_of(version) or frozenset() for version in (candidate, live) if version]
    fresh = [e for e in examples if not any(splitting.mark(e.key) in marks for marks in known)]
    if not any(example.spans for example in fresh):
        raise CannotCompare(
            f"no labelled text is left that neither version has learned from (of {len(examples)})"
        )
    versions = [version for version in (candidate, live) if version]
    try:
        taggers = [tagging.load(version) for version in versions]
    except TaggerUnavailable as error:
        raise CannotCompare(str(error)) from error
    match: Match = "exact" if taggers[0].sheet.design.match == "exact" else "overlap"
    seen = read_in_turns(taggers, fresh, spec)
    measured = [measured_of(each, spec, match) for each in seen]
    count = len({example.key for example in fresh})
    return Comparison(
        f"F1 of spans ({match} match)",
        count,
        measured[0],
        measured[1] if live else None,
        snapshot,
        {
            "texts": len(fresh),
            "texts_left_out": len(examples) - len(fresh),
            "spans": sum(len(example.spans) for example in fresh),
            "new_errors": new_errors(seen[0], seen[1]) if live else {},
            "live_says_what_it_learned": live is None or marks_of(live) is not None,
        },
    )


def what_hurt(candidate: ModelVersion, snapshot_hash: str) -> list[dict[str, Any]]:
    """Groups of corrections with what leaving each out would gain; see `blaming_corrections`."""
    rows = Snapshot.objects.filter(name=candidate.name, digest=snapshot_hash)
    snapshot = rows.order_by("-number").first() if snapshot_hash else None
    if snapshot is None or candidate.snapshot_hash != snapshot_hash:
        return []
    try:
        return blaming_corrections.blame(candidate, snapshot)
    except (ArtefactDamaged, BadArtefact, WeightsUnavailable, CannotScore) as error:
        # The verdict stands without it.
        log.warning("what hurt %s cannot be told: %s", candidate, error)
        return []


def held_out(name: str, spec: SchemaSpec, folder: Path | None) -> tuple[list[Example], str]:
    """Texts to test on, and the digest of the snapshot that they are of. Raises CannotCompare."""
    if folder is None:
        snapshot = datasets.newest(name)
        if snapshot is None:
            raise CannotCompare(
                f"{name} has no snapshot to test on; make one with: manage.py snapshot {name}"
            )
        return datasets.judging_part(snapshot), snapshot.digest
    try:
        labelled = load(folder, spec.label_names)
    except CannotScore as error:
        raise CannotCompare(str(error)) from error
    if "valid" in labelled.parts:
        return labelled.parts["valid"], ""
    return splitting.in_tenths(labelled.of("all"), splitting.TESTED), ""


def read_in_turns(
    taggers: Sequence[Tagger], examples: Sequence[Example], spec: SchemaSpec
) -> list[Seen]:
    """Each batch by each tagger one after the other, so that both meet the same machine."""
    found = [Seen() for _ in taggers]
    parts = batches(examples)
    for tagger in taggers:
        # The first texts of a process pay for what is prepared once.
        tagger.tag([parts[0][0].text])
    # Few batches are read again, for their seconds alone: the quickest time met no busy moment.
    times = -(-LEAST_TIMED // len(parts))
    for number, part in enumerate(parts * times):
        turns = list(zip(taggers, found, strict=True))
        for tagger, seen in turns if number % 2 else reversed(turns):
            began = time.perf_counter()
            tagged = tagger.tag([example.text for example in part])
            spent = time.perf_counter() - began
            if number >= len(parts):
                again = number % len(parts)
                seen.seconds[again] = min(seen.seconds[again], spent)
                continue
            seen.seconds.append(spent)
            for example, spans in zip(part, tagged, strict=True):
                kept = tuple(s for s in spans if s.confidence >= spec.thresholds.keep)
                seen.judged.append(Judged(example.key, example.text, example.spans, kept))
    return found


def batches(examples: Sequence[Example]) -> list[list[Example]]:
    """As many texts at once as serving takes."""
    found: list[list[Example]] = []
    room = 0
    for example in examples:
        size = len(example.text)
        if not found or len(found[-1]) >= TEXTS_AT_ONCE or size > room:
            found.append([])
            room = CHARACTERS_AT_ONCE
        found[-1].append(example)
        room -= size
    return found


def measured_of(seen: Seen, spec: SchemaSpec, match: Match) -> Measured:
    """Micro F1, F1 of each label, and the error of the confidences of what is shown."""
    counts = strict_counts(seen.judged) if match == "exact" else overlap_counts(seen.judged)
    key = "strict" if match == "exact" else "overlap"
    rows = by_label(seen.judged, spec.label_names)
    return Measured(
        f1(counts, documents_of(seen.judged)),
        {name: Label(float(row[key]), int(row["gold"])) for name, row in rows.items()},
        verdicts(seen.judged, lambda _: 0.0, match).calibration_error,
        seen.seconds,
    )


def new_errors(candidate: Seen, live: Seen) -> dict[str, dict[str, int]]:
    """By label, what the candidate gets wrong that the live version got right."""
    wrong: dict[str, Counter[str]] = {"found_wrongly": Counter(), "missed": Counter()}
    for one, other in zip(candidate.judged, live.judged, strict=True):
        worded = partial(_worded, one.text)
        gold, mine, theirs = worded(one.gold), worded(one.found), worded(other.found)
        wrong["found_wrongly"].update(label for _, _, label in (mine - gold) - theirs)
        wrong["missed"].update(label for _, _, label in (gold & theirs) - mine)
    return {kind: dict(counts.most_common()) for kind, counts in wrong.items()}


def _worded(text: str, spans: Sequence[Any]) -> set[tuple[int, int, str]]:
    starts, ends = words_of(text)
    return {by_words(span, starts, ends) for span in spans}
