"""Tables of training; each lies in a file of its own."""

from __future__ import annotations

from training.run_tables import TrainingRun
from training.snapshot_tables import Snapshot, SnapshotDocument
from training.verdict_tables import FlywheelSettings, GateVerdict

__all__ = ["FlywheelSettings", "GateVerdict", "Snapshot", "SnapshotDocument", "TrainingRun"]
