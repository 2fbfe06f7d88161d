"""A trained tagger that serves: texts in, labelled spans with calibrated confidences out.

Deterministic: the same text and version give the same spans on one machine, whatever else is
tagged beside it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file

from docintel.lightgbm_text import Trees
from extraction.ml.confidence import Confidence, read_trees
from extraction.ml.crf import NEVER, Floats
from extraction.ml.errors import BadArtefact
from extraction.ml.evidence import Seen
from extraction.ml.evidence import evidence as evidence_of
from extraction.ml.folders import ADAPTER, HEADS, TREES, check_base, read_sheet
from extraction.ml.merging import Candidate, candidates, merge
from extraction.ml.runtimes import Kept, Runtime, in_batches, open_runtime
from extraction.ml.settings import Sheet
from extraction.ml.shapes import shapes
from extraction.ml.spans import FoundSpan
from extraction.ml.windows import Read, Reader, Window

DEFAULT_THRESHOLD = 0.5


class Tagger:
    """Serves one version; made by `load`."""

    def __init__(
        self,
        sheet: Sheet,
        reader: Reader,
        runtime: Runtime,
        steps: Floats,
        trees: Trees | None = None,
    ) -> None:
        self.sheet, self.reader, self.runtime = sheet, reader, runtime
        self.confidence = Confidence(sheet.calibration, trees)
        self.scheme = sheet.design.scheme
        self.labels = self.scheme.labels
        self.steps = steps

    def tag(self, texts: Sequence[str], *, floor: float | None = None) -> list[list[FoundSpan]]:
        """The spans of each text in reading order; those of one group never overlap.

        Without `floor`, what the label's own fitted threshold delivers; with it, everything at
        least that likely, for review or for a curve of precision and recall.
        """
        return [
            self.spans(read, found, floor)
            for read, found in zip(*self.candidates(texts), strict=True)
        ]

    def spans(
        self, read: Read, found: Sequence[Candidate], floor: float | None = None
    ) -> list[FoundSpan]:
        """Candidates of a text as spans, in reading order; see `chosen`."""
        return sorted(
            FoundSpan(int(read.starts[each.first]), int(read.ends[each.last]), each.label, sure)
            for each, sure in self.chosen(read, found, floor)
        )

    def chosen(
        self, read: Read, found: Sequence[Candidate], floor: float | None = None
    ) -> list[tuple[Candidate, float]]:
        """What stays of a text's candidates, with its confidence.

        Where two of a group overlap the likelier one goes first, and stays if it is sure enough.
        """
        if not found:
            return []
        raw = np.array([self.raw(each) for each in found])
        rows = np.array([each.evidence for each in found]) if self.confidence.trees else None
        # Four places: more would only show how a kernel rounds.
        likely = np.round(self.sheet.calibration(raw), 4)
        sure = np.round(self.confidence(raw, rows), 4)
        taken = np.zeros((len(self.scheme.groups), len(read.firsts)), dtype=bool)
        stays = []
        for at in np.argsort(-likely, kind="stable").tolist():
            each = found[at]
            least = self._threshold(each.label) if floor is None else floor
            words = taken[self.scheme.place[each.label][0], each.first : each.last + 1]
            if sure[at] < least or words.any():
                continue
            words[:] = True
            stays.append((each, float(sure[at])))
        return stays

    def raw(self, candidate: Candidate) -> float:
        """The probability that is calibrated: of the exact span, or of its words' label."""
        return candidate.exact if self.sheet.design.match == "exact" else candidate.share

    def _threshold(self, label: str) -> float:
        return self.sheet.thresholds.get(label, DEFAULT_THRESHOLD)

    def candidates(
        self, texts: Sequence[str], *, evidence: bool = False
    ) -> tuple[list[Read], list[list[Candidate]]]:
        """Each text as words, and what may be a span of it: for `spans`, at any floor.

        With their `evidence` where it is asked for, or where this tagger's confidences need it.
        """
        reads = [self.reader.read(text) for text in texts]
        design = self.sheet.design
        windows = [read.windows(design.length, design.stride) for read in reads]
        seen = self.look(reads, windows)
        merged = [each.merged for each in seen]
        found = candidates(merged, self.steps, self.scheme, strict=design.crf)
        if evidence or self.confidence.trees:
            found = [self._described(*each) for each in zip(seen, found, strict=True)]
        return reads, found

    def _described(self, seen: Seen, found: Sequence[Candidate]) -> list[Candidate]:
        rows = evidence_of(seen, found, self.scheme).tolist()
        return [replace(each, evidence=tuple(row)) for each, row in zip(found, rows, strict=True)]

    def look(self, reads: Sequence[Read], windows: Sequence[Sequence[Window]]) -> list[Seen]:
        """What the network gives for each text, its windows merged."""
        scored = iter(self.score(reads, windows))
        found = []
        for read, cut in zip(reads, windows, strict=True):
            scores, types = zip(*[next(scored) for _ in cut], strict=True) if cut else ((), ())
            words = np.array([read.words_of(window) for window in cut], dtype=np.int64)
            merged = merge(read, cut, scores, self.scheme)
            found.append(Seen(words.reshape(-1, 2), scores, np.array(types), merged))
        return found

    def score(
        self, reads: Sequence[Read], windows: Sequence[Sequence[Window]]
    ) -> list[tuple[Floats, Floats]]:
        """(words, groups * tags) and (labels) of every window of every text, in their order."""
        rows, looks, places = [], [], []
        edge = len(self.reader.prefix)
        for read, cut in zip(reads, windows, strict=True):
            described = shapes(read)
            for window in cut:
                row = self.reader.rows(read, window)
                first, last = read.words_of(window)
                at = read.firsts[first:last] - window.start + edge
                look = np.zeros((len(row), described.shape[1]), dtype=np.float32)
                look[at] = described[first:last]
                rows.append(row)
                looks.append(look)
                places.append(at)
        found = in_batches(rows, looks, self.runtime, self.reader.pad)
        return [(scores[at], types) for (scores, types), at in zip(found, places, strict=True)]


def load(
    folder: Path, base_encoder: Path, *, device: str = "auto", cache: Path | None = None
) -> Tagger:
    """The tagger of a trained folder on its base encoder's folder.

    Converted graphs are kept in `cache` (beside the encoder, unless given). Takes a second, or up
    to a minute on first use. Raises `BadArtefact` for whatever does not fit.
    """
    sheet = read_sheet(folder)
    reader = Reader(base_encoder)
    check_base(sheet, base_encoder, reader)
    steps = _steps(folder, sheet)
    kept = Kept(folder, sheet, base_encoder)
    runtime = open_runtime(kept, device, cache or base_encoder.parent, _key(folder))
    return Tagger(sheet, reader, runtime, steps, _trees(folder))


def _trees(folder: Path) -> Trees | None:
    try:
        return read_trees((folder / TREES).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise BadArtefact(f"{TREES} is damaged: {error}") from error


def _steps(folder: Path, sheet: Sheet) -> Floats:
    scheme = sheet.design.scheme
    try:
        learned = load_file(folder / HEADS)["crf.steps"].astype(np.float32)
    except (SafetensorError, OSError, KeyError) as error:
        raise BadArtefact(f"{HEADS} is damaged: {error}") from error
    allowed: NDArray[np.bool_] = scheme.allowed()
    if learned.shape != allowed.shape:
        raise BadArtefact(f"{HEADS}: crf.steps is {learned.shape}; {allowed.shape} is needed.")
    if not sheet.design.crf:
        return np.zeros_like(learned)
    return np.asarray(np.where(allowed, learned, NEVER), dtype=np.float32)


def _key(folder: Path) -> str:
    """Names what the graph is made of: thresholds and calibration may change without it."""
    found = hashlib.sha256()
    for name in (ADAPTER, HEADS):
        found.update(hashlib.sha256((folder / name).read_bytes()).digest())
    return found.hexdigest()[:16]
