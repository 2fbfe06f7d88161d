"""The threshold from which spans are delivered without review."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from docintel.models import ModelVersion
from extraction import schema
from extraction.delivering import deliver_at, fit


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


def test_an_expert_s_threshold_outranks_the_fitted_one() -> None:
    spec = schema.bundled("kpis")
    version = ModelVersion(metrics={"deliver_at": 0.77})
    assert deliver_at(spec, version, "cy") == 0.77
    assert deliver_at(spec, ModelVersion(), "cy") == spec.thresholds.deliver
    assert deliver_at(spec, None, "cy") == spec.thresholds.deliver
    own = replace(spec, thresholds=replace(spec.thresholds, labels=(("cy", 0.6),)))
    assert deliver_at(own, version, "cy") == 0.6
    assert deliver_at(own, version, "kpi") == 0.77
