"""Two versions that each put the candidates of questions in an order, told to the gate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.comparing.comparison import Comparison, measured_by_question, numbered
from training.gate import Floats
from training.learning.ranker_fitting import ndcg
from training.learning.ranker_questions import Mined


def compare_orders(
    measure: str,
    asked: Sequence[tuple[Mined, NDArray[np.int64]]],
    scores: Sequence[Sequence[Floats]],
    seconds: Sequence[Sequence[float]],
    **detail: Any,
) -> Comparison:
    """NDCG@10 of both, filings resampled with all their questions.

    `asked` has each question with the grades of its candidates; `scores` and `seconds` are of the
    candidate first, then of the live one, a row of scores a question.
    """
    units, filings = numbered([mined.document for mined, _ in asked])
    sorts = [mined.sort for mined, _ in asked]
    candidate, live = (
        measured_by_question(
            [ndcg(grades, own) for (_, grades), own in zip(asked, each, strict=True)],
            units, sorts, took,
        )
        for each, took in zip(scores, seconds, strict=True)
    )  # fmt: skip
    return Comparison(measure, filings, candidate, live, detail={"questions": len(asked), **detail})
