"""What a tagger finds in texts whose spans are known: right or wrong, by its raw probability.

From this come calibration, the thresholds of labels, and precision, recall and F1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from extraction.ml.evidence import NAMES
from extraction.ml.matching import is_match
from extraction.ml.merging import Candidate
from extraction.ml.spans import Example
from extraction.ml.tagger import Tagger
from extraction.ml.windows import Read

# Below this a candidate is noise, and there are very many.
FLOOR = 0.005
# With fewer gold spans the best threshold of a label is a matter of luck.
ENOUGH = 25


@dataclass(frozen=True, slots=True)
class Verdict:
    """One found span: how likely it was said to be, and whether it is right."""

    text: int
    label: str
    raw: float
    exact: bool
    overlap: bool
    key: str  # of its document
    evidence: tuple[float, ...]


@dataclass(slots=True)
class Judged:
    """Verdicts on all candidates, and how many spans of each label there were to find."""

    verdicts: list[Verdict] = field(default_factory=list)
    gold: dict[str, int] = field(default_factory=dict)
    texts: int = 0

    def add(self, other: Judged) -> None:
        """Take in the verdicts on other texts."""
        self.verdicts += [replace(each, text=each.text + self.texts) for each in other.verdicts]
        for label, count in other.gold.items():
            self.gold[label] = self.gold.get(label, 0) + count
        self.texts += other.texts

    def right(self, match: str) -> np.ndarray:
        """Whether each is right: exactly, or by at least half of the words (`matching`)."""
        return np.array(
            [each.exact if match == "exact" else each.overlap for each in self.verdicts], bool
        )

    def raw(self) -> np.ndarray:
        return np.array([each.raw for each in self.verdicts])

    def evidence(self) -> np.ndarray:
        """(verdicts, `evidence.NAMES`)."""
        return np.array([each.evidence for each in self.verdicts]).reshape(-1, len(NAMES))

    def documents(self) -> np.ndarray:
        """(verdicts) the number of each one's document."""
        keys = [each.key for each in self.verdicts]
        return np.unique(keys, return_inverse=True)[1] if keys else np.empty(0, np.int64)


def judge(tagger: Tagger, examples: Sequence[Example], at_once: int = 16) -> Judged:
    """Everything the tagger finds there; its calibration must still be the plain one."""
    judged = Judged(texts=len(examples))
    for start in range(0, len(examples), at_once):
        part = examples[start : start + at_once]
        reads, found = tagger.candidates([example.text for example in part], evidence=True)
        for at, (example, read, candidates) in enumerate(zip(part, reads, found, strict=True)):
            gold = [span for span in example.spans if span.label in tagger.labels]
            for span in gold:
                judged.gold[span.label] = judged.gold.get(span.label, 0) + 1
            judged.verdicts += [
                _verdict(start + at, each, sure, read, example)
                for each, sure in tagger.chosen(read, candidates, FLOOR)
            ]
    return judged


def _verdict(text: int, candidate: Candidate, raw: float, read: Read, example: Example) -> Verdict:
    start, end = int(read.starts[candidate.first]), int(read.ends[candidate.last])
    gold = [each for each in example.spans if each.label == candidate.label]
    exact = any((each.start, each.end) == (start, end) for each in gold)
    words = example.text[start:end]
    overlap = exact or any(is_match(example.text[g.start : g.end], words) for g in gold)
    return Verdict(text, candidate.label, raw, exact, overlap, example.key, candidate.evidence)


def thresholds(judged: Judged, sure: np.ndarray, match: str) -> dict[str, float]:
    """For each label the confidence from which its spans make the best F1.

    `sure` (verdicts) are their confidences. Where a label has few spans it is that of all labels
    together; otherwise half way towards it, because the best of one label is noisy.
    """
    right = judged.right(match)
    common = _best(sure, right, sum(judged.gold.values()))
    found: dict[str, float] = {}
    labels = np.array([each.label for each in judged.verdicts])
    for label, count in judged.gold.items():
        own = labels == label
        best = _best(sure[own], right[own], count) if count >= ENOUGH else common
        found[label] = round((best + common) / 2, 3)
    return found


def _best(sure: np.ndarray, right: np.ndarray, gold: int) -> float:
    """The confidence at which F1 is highest, from 0.05 to 0.5; 0.5 without any span.

    Of calibrated confidences the best is half the best F1 (Lipton et al. 2014), so never more.
    """
    if not len(sure) or not right.any():
        return 0.5
    order = np.argsort(-sure, kind="stable")
    hits = np.cumsum(right[order])
    f1 = 2 * hits / (np.arange(1, len(order) + 1) + gold)
    return min(0.5, max(0.05, float(sure[order][f1.argmax()])))


@dataclass(frozen=True, slots=True)
class Row:
    """Precision, recall and F1 of one label's delivered spans, and how many there were to find."""

    label: str
    precision: float
    recall: float
    f1: float
    gold: int


def table(judged: Judged, sure: np.ndarray, least: dict[str, float], match: str) -> list[Row]:
    """A row for each label with gold, and a last one, "all", for them together (micro)."""
    right = judged.right(match)
    labels = np.array([each.label for each in judged.verdicts])
    limit = np.array([least.get(label, 0.5) for label in labels])
    given = sure >= limit
    rows = []
    for label, count in sorted(judged.gold.items()):
        own = given & (labels == label)
        rows.append(_row(label, int(own.sum()), int((own & right).sum()), count))
    every = sum(judged.gold.values())
    return [*rows, _row("all", int(given.sum()), int((given & right).sum()), every)]


def _row(label: str, given: int, hits: int, gold: int) -> Row:
    hits = min(hits, gold)
    precision, recall = hits / given if given else 0.0, hits / gold if gold else 0.0
    f1 = 2 * hits / (given + gold) if given + gold else 0.0
    return Row(label, round(precision, 4), round(recall, 4), round(f1, 4), gold)
