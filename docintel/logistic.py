"""Log odds to probabilities. Without scipy, which every page would load."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def logistic(log_odds: Floats) -> Floats:
    """1 / (1 + e^-x) for any shape, in double precision, without overflow."""
    found: Floats = 0.5 * (1.0 + np.tanh(0.5 * log_odds))
    return found
