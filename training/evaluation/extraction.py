"""How well spans and relations are found, by the code that serves, on a folder of labelled texts.

The folder is of the shape of KPI-EDGAR or of CUAD. Texts are read as they stand there, without
parsing. See `span_scores`, `precision_curves` and `relation_scores` for what is counted.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import astuple, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from docintel.models import ModelVersion
from docintel.scoring import CannotScore, Score
from extraction import relating, schema, tagging
from extraction.delivering import deliver_at
from extraction.layouts import layout_of_text
from extraction.ml import splitting
from extraction.ml.spans import Example, FoundSpan, LabelledSpan
from extraction.relating import FoundRelation
from extraction.schema import SchemaSpec
from extraction.schema_tables import Schema
from extraction.tagging import TaggerUnavailable
from training.evaluation import precision_curves, relation_scores
from training.evaluation.relation_scores import Counts, Related
from training.evaluation.span_scores import (
    Estimate,
    Floats,
    Ints,
    Judged,
    Match,
    Measure,
    by_label,
    documents_of,
    estimate,
    f1,
    overlap_counts,
    strict_counts,
    summed,
    verdicts,
)
from training.learning import tagger_data
from training.version_marks import marks_of

# Everything that a curve of precision and recall can use; below it is noise.
FLOOR = 0.001
HOW = (
    "Strict: the same words and label, as seqeval with IOB2 on words counts. Overlap: one label "
    "and a Jaccard of characters of 0.5 or more, each span in one pair. aupr_pooled, p_at_80r and "
    "p_at_90r pool all labels, as CUAD's published numbers do; aupr_macro and the others named "
    "macro are means over labels with gold. There a found text is right where the Jaccard of words "
    "is 0.5 or more. auto_accuracy: of the spans at or over the threshold the share that is right "
    "(kpi_edgar: strict; cuad: Jaccard of words 0.5 or more with a gold span of its label, "
    "wherever in the contract it stands; of Parties also where it holds one); auto_coverage: their "
    "share of all spans shown. Relations: pairs without direction, see relation_scores. "
    "Intervals: 95 %, documents resampled."
)


@dataclass(frozen=True, slots=True)
class Dataset:
    """What a kind of folder holds, and how a span of it counts as right for delivery."""

    schema: str
    file: str
    read: Callable[[Path, Sequence[str]], tagger_data.Labelled]
    headline: str
    match: Match
    parts: tuple[str, ...]  # which is scored where none is named: the first that is there
    contained: tuple[str, ...] = ()  # labels that may also be a part of what was found
    relations: tuple[str, ...] = ()  # those that the gold has
    values: frozenset[str] = frozenset()  # labels whose relations are scored by themselves, too
    one_sentence: bool = False


DATASETS = {
    "kpi_edgar": Dataset(
        "kpis", tagger_data.KPI_FILE, tagger_data.read_kpi, "relation_f1_strict", "exact",
        ("valid", "test", "all"), relations=("value of", "part of", "attribute of"),
        values=frozenset(tagger_data.VALUES), one_sentence=True,
    ),
    "cuad": Dataset(
        "contracts", tagger_data.CUAD_FILE, tagger_data.read_cuad, "aupr_macro", "overlap",
        ("unseen", "held_out", "all"), contained=("Parties",),
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Read:
    """One text as the serving code left it."""

    example: Example
    ranked: list[FoundSpan]
    kept: list[FoundSpan]
    relations: list[FoundRelation]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, help="folder of the data set's shape")
    parser.add_argument("--dataset", choices=sorted(DATASETS), required=True)
    parser.add_argument(
        "--part", default="", help="train, valid, …; held_out (by hash), unseen or all"
    )
    parser.add_argument("--most", type=int, help="only so many texts, the first")


def run(folder: Path, dataset: str, *, part: str = "", most: int | None = None, **_: Any) -> Score:
    """Raises CannotScore where the folder, the part or a live tagger is missing."""
    started = time.perf_counter()
    kind = DATASETS[dataset]
    spec = live_schema(kind.schema)
    if not (folder / kind.file).is_file():
        raise CannotScore(f"{folder} is not of the shape of {dataset}: it has no {kind.file}")
    loaded = kind.read(folder, spec.label_names)
    version = tagging.live_tagger(kind.schema)
    if version is None:
        raise CannotScore(f"no tagger of {kind.schema} is live; train one and promote it first")
    seen = marks_of(version)
    name, examples = chosen(loaded, kind, part, seen)
    reading = time.perf_counter()
    reads = read_all(examples[:most], spec, kind)
    seconds = time.perf_counter() - reading
    estimates, tables = measured(reads, spec, version, kind)
    _print(estimates, tables)
    headline = estimates[kind.headline]
    return Score(
        headline=f"{kind.headline} on {dataset}, part {name}",
        value=headline.value,
        higher_is_better=True,
        n=headline.n,
        interval=None if math.isnan(headline.interval[0]) else headline.interval,
        seconds=time.perf_counter() - started,
        detail={
            **{measure: each.value for measure, each in estimates.items()},
            "n": {measure: each.n for measure, each in estimates.items()},
            "interval": {measure: each.interval for measure, each in estimates.items()},
            "by_label": tables,
            "part": name,
            "texts": len(reads),
            "documents": len({each.example.key for each in reads}),
            "documents_learned_from": sum(
                splitting.mark(key) in (seen or ()) for key in {r.example.key for r in reads}
            ),
            "characters": sum(len(each.example.text) for each in reads),
            "reading_seconds": seconds,
            "version": f"{version.name} {version.number}",
            "digest": version.digest,
            "notes": loaded.notes,
            "how": HOW,
        },
    )


def live_schema(name: str) -> SchemaSpec:
    """As it serves here: an expert may have changed the one that comes with docintel."""
    row = Schema.objects.filter(name=name).first()
    return row.read() if row else schema.bundled(name)


def chosen(
    loaded: tagger_data.Labelled, kind: Dataset, part: str, seen: frozenset[str] | None
) -> tuple[str, list[Example]]:
    """The part that is named, or the first of the usual ones that is there. Raises CannotScore.

    "held_out" are the documents that training leaves out by a hash of their names; "unseen" those
    that this version did not learn from, in a folder of new documents all.
    """
    everything = [example for rows in loaded.parts.values() for example in rows]
    if not everything:
        raise CannotScore("the folder holds no text")
    parts = {**loaded.parts, "held_out": splitting.in_tenths(everything, splitting.TESTED)}
    if seen is not None:
        parts["unseen"] = [each for each in everything if splitting.mark(each.key) not in seen]
    parts = {name: rows for name, rows in parts.items() if rows}
    if part == "all":
        return part, everything
    name = part or next((name for name in kind.parts if name in parts), "all")
    if name in parts:
        return name, parts[name]
    if part:
        raise CannotScore(f"there is no part {part!r}; there: {', '.join(sorted(parts))}, all")
    return "all", everything


def read_all(examples: Sequence[Example], spec: SchemaSpec, kind: Dataset) -> list[Read]:
    """Each text tagged and related as a document is. Raises CannotScore."""
    found: list[Read] = []
    # Sentences together, which the encoder reads sooner; contracts alone, for memory.
    at_once = 32 if kind.one_sentence else 1
    for start in range(0, len(examples), at_once):
        part = examples[start : start + at_once]
        try:
            tagged = tagging.tag_ranked([each.text for each in part], kind.schema, FLOOR)
        except TaggerUnavailable as error:
            raise CannotScore(str(error)) from error
        for example, (shown, ranked) in zip(part, tagged, strict=True):
            kept = [span for span in shown if span.confidence >= spec.thresholds.keep]
            layout = layout_of_text(example.text, one_sentence=kind.one_sentence)
            related = relating.relate(example.text, kept, layout, spec)
            found.append(Read(example, ranked, kept, related))
        print(f"{len(found)} of {len(examples)} texts read", file=sys.stderr, flush=True)
    return found


def measured(
    reads: Sequence[Read], spec: SchemaSpec, version: ModelVersion, kind: Dataset
) -> tuple[dict[str, Estimate], dict[str, Any]]:
    """Every measure with its interval, and the scores of each label."""
    judged = [
        Judged(each.example.key, each.example.text, each.example.spans, tuple(each.kept),
               tuple(each.ranked))
        for each in reads
    ]  # fmt: skip
    documents = documents_of(judged)
    count = len(set(documents.tolist()))
    gold = sum(len(each.gold) for each in judged)
    curves = precision_curves.curves(judged, spec.label_names, kind.contained)
    pooled = precision_curves.pooled(curves.values(), count)
    seen = verdicts(judged, partial(deliver_at, spec, version), kind.match, kind.contained)
    wanted: dict[str, tuple[Measure, int]] = {
        "span_f1_strict": (f1(strict_counts(judged), documents), gold),
        "span_f1_overlap": (f1(overlap_counts(judged), documents), gold),
        "aupr_macro": (precision_curves.macro(curves.values()), len(curves)),
        "aupr_pooled": (pooled.area, gold),
        "p_at_80r": (pooled.precision_at(0.8), gold),
        "p_at_90r": (pooled.precision_at(0.9), gold),
        "p_at_80r_macro": (precision_curves.macro_precision_at(curves.values(), 0.8), len(curves)),
        "p_at_90r_macro": (precision_curves.macro_precision_at(curves.values(), 0.9), len(curves)),
        **relation_measures(reads, kind, documents),
        "auto_accuracy": (seen.accuracy, int(seen.delivered.sum())),
        "auto_coverage": (seen.coverage, len(seen)),
        "ece": (seen.calibration_error, len(seen)),
    }
    estimates = {name: estimate(measure, count, n) for name, (measure, n) in wanted.items()}
    tables = {label: dict(row) for label, row in by_label(judged, spec.label_names).items()}
    for label, curve in curves.items():
        tables.setdefault(label, {})["aupr"] = curve.area(np.ones(count))
    return estimates, tables


def relation_measures(
    reads: Sequence[Read], kind: Dataset, documents: Ints
) -> dict[str, tuple[Measure, int]]:
    """Strict and adjusted F1 of the relations that the gold has; undefined where it has none.

    Of all of them, as published, and of those that give a figure its values.
    """
    pairs = [_pairs(each, kind.relations) for each in reads]
    measures = _of_pairs("relation_f1", reads, pairs, documents)
    if kind.values:
        valued = [tuple(_with_values(each, kind.values) for each in both) for both in pairs]
        measures |= _of_pairs("relation_f1_values", reads, valued, documents)
    return measures


def _of_pairs(
    named: str,
    reads: Sequence[Read],
    pairs: Sequence[tuple[list[Related], ...]],
    documents: Ints,
) -> dict[str, tuple[Measure, int]]:
    rows = [
        relation_scores.count(each.example.text, *both)
        for each, both in zip(reads, pairs, strict=True)
    ]
    table = summed(np.array([astuple(row) for row in rows], dtype=float).reshape(-1, 6), documents)
    gold = sum(row.gold for row in rows)

    def measure(weights: Floats, name: str) -> float:
        counts = Counts(*(weights @ table))
        return float(getattr(counts, name)) if counts.gold else math.nan

    return {
        f"{named}_{name}": (partial(measure, name=name), gold) for name in ("strict", "adjusted")
    }


def _with_values(pairs: Sequence[Related], values: Collection[str]) -> list[Related]:
    return [pair for pair in pairs if any(label in values for _, _, label in pair)]


def _pairs(read: Read, names: Sequence[str]) -> tuple[list[Related], list[Related]]:
    def triple(span: LabelledSpan | FoundSpan) -> tuple[int, int, str]:
        return span.start, span.end, span.label

    spans = [triple(span) for span in read.example.spans]
    found = [triple(span) for span in read.kept]
    return (
        [(spans[head], spans[tail]) for head, tail in read.example.relations],
        [(found[r.head], found[r.tail]) for r in read.relations if r.relation in names],
    )


def _print(estimates: dict[str, Estimate], tables: dict[str, Any]) -> None:
    print(f"{'label':36}{'strict':>8}{'overlap':>9}{'aupr':>7}{'gold':>7}{'found':>7}")
    for label, row in tables.items():
        values = (row.get(name, math.nan) for name in ("strict", "overlap", "aupr"))
        shown = "{:8.3f}{:9.3f}{:7.3f}".format(*values)
        print(f"{label[:35]:36}{shown}{row.get('gold', 0):7}{row.get('found', 0):7}")
    for name, each in estimates.items():
        low, high = each.interval
        print(f"{name:22}{each.value:7.3f} [{low:.3f}, {high:.3f}]  n={each.n}")
