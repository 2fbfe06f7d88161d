"""`manage.py train WHAT …`: learn from labels, and keep what was learned if it is better."""

from __future__ import annotations

from training.management.scored_command import ScoredCommand


class Command(ScoredCommand):
    help = "Train a model on labels; it goes live only where it beats the one that serves."
    subjects = {
        "topics": "training.learning.topics",
        "calibration": "training.learning.calibration",
        "router": "training.fitting_router",
        "ranker": "training.learning.ranker",
        "answerable": "training.fitting_answerable",
    }
