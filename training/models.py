"""Tables of training; each lies in a file of its own."""

from __future__ import annotations

from training.run_tables import TrainingRun

__all__ = ["TrainingRun"]
