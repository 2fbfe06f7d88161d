"""Trees that correct calibrated confidences, fitted on documents that nothing was learned from.

They are kept only where they tell right from wrong better in documents that they were not fitted
on; a few documents are too alike within themselves to say.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from docintel import lightgbm_text
from extraction.ml.calibration import DOCUMENTS
from extraction.ml.confidence import corrected, start
from extraction.ml.evidence import NAMES, Floats

# With fewer right spans, or documents, what the trees find is what these have by chance.
RIGHT = 200
FOLDS = 11
TREES = 60
# Shallow, slow and of large leaves: a thousand spans of forty documents are little to learn from.
SETTINGS = {
    "objective": "binary", "learning_rate": 0.05, "num_leaves": 8, "min_data_in_leaf": 25,
    "feature_fraction": 0.4, "bagging_fraction": 0.7, "bagging_freq": 1, "lambda_l2": 5.0,
    "seed": 7, "deterministic": True, "force_row_wise": True, "num_threads": 1, "verbosity": -1,
}  # fmt: skip


def fit(
    sure: Floats, rows: Floats, right: NDArray[np.bool_], documents: NDArray[np.int64]
) -> tuple[str, Floats] | None:
    """The model's text, and each span's confidence by trees that never saw its document.

    Of calibrated confidences (n), evidence (n, NAMES), whether each is right (n) and the number of
    its document (n). None where there is too little, or it loses more than it gains.
    """
    if len(np.unique(documents)) < DOCUMENTS or right.sum() < RIGHT:
        return None
    # Numbers of documents in the order in which they come, dealt out in turn.
    _, place = np.unique(documents, return_inverse=True)
    unseen = np.empty(len(sure))
    for fold in range(FOLDS):
        left = place % FOLDS == fold
        text = _train(sure[~left], rows[~left], right[~left])
        unseen[left] = corrected(sure[left], lightgbm_text.read(text), rows[left])
    if _loss(unseen, right) >= _loss(sure, right):
        return None
    return _train(sure, rows, right), unseen


def _train(sure: Floats, rows: Floats, right: NDArray[np.bool_]) -> str:
    # Seconds to load, and nothing that serves needs it.
    import lightgbm  # noqa: PLC0415

    data = lightgbm.Dataset(
        rows, right.astype(np.float64), init_score=start(sure), feature_name=list(NAMES)
    )
    booster = lightgbm.train(SETTINGS, data, TREES)
    return str(booster.model_to_string(num_iteration=TREES)).split("\nfeature_importances:")[0]


def _loss(sure: Floats, right: NDArray[np.bool_]) -> float:
    inside = np.clip(sure, 1e-3, 1 - 1e-3)
    return -float(np.log(np.where(right, inside, 1 - inside)).mean())
