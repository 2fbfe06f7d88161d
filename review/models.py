"""Tables of review; each lies in a file of its own."""

from __future__ import annotations

from review.correction_tables import Correction
from review.desk_tables import DeskKeys, DeskSettings
from review.item_tables import QueuedDocument, QueuedRun, ReviewItem

__all__ = ["Correction", "DeskKeys", "DeskSettings", "QueuedDocument", "QueuedRun", "ReviewItem"]
