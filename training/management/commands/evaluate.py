"""`manage.py evaluate WHAT …`: how good the serving code is on gold."""

from __future__ import annotations

from training.management.scored_command import ScoredCommand


class Command(ScoredCommand):
    help = "Run the serving code on gold questions and score it."
    subjects = {
        "retrieval": "training.evaluation.retrieval",
        "entities": "training.evaluation.entities",
        "extraction": "training.evaluation.extraction",
        "links": "training.evaluation.links",
        "topics": "training.evaluation.topics",
        "router": "training.evaluation.router",
        "answers": "training.evaluation.answers",
        "tables": "training.evaluation.table_answers",
        "passages": "training.evaluation.passages",
        "answerable": "training.evaluation.answerable",
        "feed": "training.evaluation.feed",
        "flywheel": "training.evaluation.flywheel",
    }
