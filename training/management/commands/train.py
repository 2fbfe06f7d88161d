"""`manage.py train WHAT …`: learn from labels, and keep what was learned."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from django.core.management.base import CommandError

from docintel.scoring import Score
from training import runs
from training.management.scored_command import ScoredCommand, in_words
from training.runs import AlreadyTraining, RunLost

# What Django gives every command; no part of what was asked of the training.
OF_DJANGO = {
    "verbosity", "settings", "pythonpath", "traceback", "no_color", "force_color", "skip_checks",
}  # fmt: skip


class Command(ScoredCommand):
    """A subject's module may say by `run_name(**options)` which model it trains."""

    help = "Train a model on labels, as one run of its name at a time; see also: models, promote."
    subjects = {
        "tagger": "training.learning.tagger",
        "tagger-confidence": "training.learning.tagger_confidence",
        "tagger-ablation": "training.learning.tagger_ablation",
        "topics": "training.learning.topics",
        "calibration": "training.learning.calibration",
        "router": "training.fitting_router",
        "ranker": "training.learning.ranker",
        "reranker": "training.learning.reranker",
        "embedder": "training.learning.embedder",
        "answerable": "training.fitting_answerable",
        "feed": "training.learning.feed",
    }

    def measure(self, subject: str, options: dict[str, Any]) -> Score:
        asked = {name: value for name, value in options.items() if name not in OF_DJANGO}
        run_name = getattr(import_module(self.subjects[subject]), "run_name", None)
        name = run_name(**asked) if run_name else subject
        try:
            with runs.opened(name, args=asked, seed=asked.get("seed")) as run:
                score = super().measure(subject, {**options, "training_run": run})
                run.log(in_words(score))
        except (AlreadyTraining, RunLost) as error:
            raise CommandError(str(error)) from error
        return score
