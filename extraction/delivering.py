"""From which confidence on a span is delivered without review: one rule for pages and scores."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from docintel.models import ModelVersion
from extraction.schema import SchemaSpec

RIGHT = 0.93
# With fewer spans the share that is right is a matter of luck.
ENOUGH = 50
# With fewer documents the bound means nothing: spans of one are right and wrong together.
DOCUMENTS = 10
# One-sided: the promise holds on other documents four times in five.
SIGMAS = 0.84


def deliver_at(spec: SchemaSpec, version: ModelVersion | None, label: str) -> float:
    """The threshold of a label: the schema's own for it, else the fitted one, else the schema's.

    A version has the fitted one as `metrics["deliver_at"]`.
    """
    own = dict(spec.thresholds.labels)
    if label in own:
        return own[label]
    fitted = version.metrics.get("deliver_at") if version else None
    return spec.thresholds.deliver if fitted is None else float(fitted)


def fit(
    confidence: NDArray[np.float64], right: NDArray[np.bool_], share: float = RIGHT
) -> float | None:
    """The lowest confidence at and above which this share of the spans is right, very likely.

    Of spans (n) in documents that were not learned from, as they are shown to people. What counts
    is the lower bound of the share, as other documents are a little worse than those that a
    threshold was chosen on. None where no threshold with 50 spans above it reaches the share.
    """
    order = np.argsort(-confidence, kind="stable")
    sure, hits = confidence[order], np.cumsum(right[order], dtype=np.int64)
    counts = np.arange(1, len(order) + 1)
    # All spans of one confidence are delivered or none.
    last = np.append(sure[1:] != sure[:-1], True)[: len(order)]
    good = np.flatnonzero(last & (counts >= ENOUGH) & (at_least(hits, counts) >= share))
    return float(sure[good[-1]]) if len(good) else None


def at_least(hits: NDArray[np.int64], counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """The lower bound of a share of which `hits` of `counts` were seen (Wilson 1927)."""
    seen, room = hits / counts, SIGMAS**2 / counts
    spread = SIGMAS * np.sqrt((seen * (1 - seen) + room / 4) / counts)
    return np.asarray((seen + room / 2 - spread) / (1 + room))
