"""Topics that learn again by themselves, from what experts said of them, under the same rule.

One run at a time; the gate decides, and where it cannot, the candidate waits.
"""

from __future__ import annotations

import logging
from datetime import datetime

from django.utils import timezone

from docintel.scoring import CannotScore
from ingestion import topics
from ingestion.models import TopicLabel
from training import runs
from training.learning import topics as learning
from training.learning_if_due import WEEK, WHO
from training.models import FlywheelSettings, TrainingRun
from training.runs import AlreadyTraining, RunLost

log = logging.getLogger(__name__)


def learn_if_due() -> TrainingRun | None:
    """The run that learned; None where nothing is due, there is too little, or another goes on."""
    runs.mark_killed()
    why = due()
    if not why:
        return None
    try:
        with runs.opened(topics.TRAINED, args={"from_corpus": True}, who=WHO) as run:
            run.log(why)
            learning.run(from_corpus=True, training_run=run)
    except (AlreadyTraining, RunLost):
        return None
    except CannotScore as error:
        log.info("topics cannot learn yet: %s", error)
        return None
    run.row.refresh_from_db()
    return run.row


def due() -> str:
    """Why they are to learn again, in words; empty where they are not."""
    since = _last_begun()
    fresh = TopicLabel.objects.filter(labelled_at__gt=since) if since else TopicLabel.objects.all()
    count, wanted = fresh.count(), FlywheelSettings.current()
    if count >= wanted.enough:
        return f"{count} new labels of topics; {wanted.enough} are enough"
    first = since or fresh.order_by("labelled_at").values_list("labelled_at", flat=True).first()
    if count >= wanted.weekly and first is not None and timezone.now() - first >= WEEK:
        return f"{count} new labels of topics in a week; {wanted.weekly} are enough"
    return ""


def _last_begun() -> datetime | None:
    """Of a run that was not killed; one without enough to learn from counts as one."""
    rows = TrainingRun.objects.filter(name=topics.TRAINED)
    begun = rows.exclude(state=TrainingRun.State.KILLED).order_by("-started_at")
    return begun.values_list("started_at", flat=True).first()
