"""The threshold from which spans are delivered without review."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from docintel.models import ModelVersion
from extraction import schema
from extraction.delivering import DOCUMENTS, deliver_at, fit
from extraction.ml.calibrating import Trust
from extraction.ml.calibration import Calibration
from extraction.ml.judging import Judged, Verdict
from training.learning.tagger_report import deliver_at as deliver_at_of


def test_the_lowest_threshold_that_keeps_the_promise() -> None:
    confidence = np.linspace(0.99, 0.5, 100)
    right = np.ones(100, bool)
    right[60:] = False
    # 60 right ones and 1 wrong one: 98 %, and 96.3 % at the least. With 2 wrong ones 94.0 %,
    # with 3 wrong ones 95.2 % were seen, but no more than 92.4 % can be promised.
    assert fit(confidence, right) == confidence[61]
    assert fit(confidence, right, 0.5) == confidence[-1]
    assert fit(confidence, ~right) is None
    # Thirty right ones in front prove nothing.
    assert fit(confidence, np.arange(100) < 30) is None
    assert fit(np.zeros(0), np.zeros(0, bool)) is None


def test_spans_of_one_confidence_go_together() -> None:
    confidence = np.repeat([0.9, 0.8], [60, 40])
    right = np.ones(100, bool)
    right[80:] = False
    assert fit(confidence, right) == 0.9


@pytest.mark.parametrize(("documents", "told"), [(DOCUMENTS - 1, False), (DOCUMENTS, True)])
def test_a_few_documents_promise_nothing_for_others(documents: int, told: bool) -> None:
    verdicts = [
        Verdict(n, "a", 0.99, True, True, f"document {n % documents}", ()) for n in range(200)
    ]
    fitted = Judged(verdicts, {"a": 200}, 200)
    trust = Trust(Calibration(), {"a": 0.5}, "", np.full(200, 0.99))
    assert (deliver_at_of(trust, fitted, "exact") == 0.99) is told


def test_an_expert_s_threshold_outranks_the_fitted_one() -> None:
    spec = schema.bundled("kpis")
    version = ModelVersion(metrics={"deliver_at": 0.77})
    assert deliver_at(spec, version, "cy") == 0.77
    assert deliver_at(spec, ModelVersion(), "cy") == spec.thresholds.deliver
    assert deliver_at(spec, None, "cy") == spec.thresholds.deliver
    own = replace(spec, thresholds=replace(spec.thresholds, labels=(("cy", 0.6),)))
    assert deliver_at(own, version, "cy") == 0.6
    assert deliver_at(own, version, "kpi") == 0.77
