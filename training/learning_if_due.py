"""Taggers that learn again by themselves: when enough was corrected, or a run was cut short.

One run at a time per name. Whatever dies when, the next call goes on: a killed training resumes in
its folder, a candidate without a verdict is judged, and nothing is live without one.
"""

from __future__ import annotations

import argparse
import logging
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import timezone

from docintel.models import ModelVersion
from docintel.scoring import CannotScore
from extraction import tagging
from extraction.models import Schema
from extraction.tagging import TaggerUnavailable
from training import corrected_texts, datasets, promotion, runs
from training.learning import tagger
from training.models import FlywheelSettings, GateVerdict, Snapshot, TrainingRun
from training.runs import AlreadyTraining, Run, RunLost

WEEK = timedelta(days=7)
ATTEMPTS = 3
# After a failure, such as a full disk; after a kill it goes on at once.
PAUSE = timedelta(hours=1)
SEED = 7
WHO = "the flywheel"
State = TrainingRun.State
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Due:
    """What is to be learned again, and why, in words."""

    name: str
    why: str


def learn_all_due() -> list[GateVerdict]:
    """Every schema's tagger that is due, one after the other; the verdicts on what came out."""
    found = []
    for schema in Schema.objects.active():
        name = f"tagger:{schema.name}"
        try:
            verdict = learn_if_due(name)
        except (CannotScore, OSError) as error:
            # What cannot learn now keeps no other from it.
            log.warning("%s cannot learn: %s", name, error)
            continue
        if verdict is not None:
            found.append(verdict)
    return found


def learn_if_due(name: str) -> GateVerdict | None:
    """The verdict on what was learned; None where nothing is due or another run goes on.

    Raises what a training raises (CannotScore, OSError); the run's row keeps it.
    """
    runs.mark_killed()
    waiting = unjudged(name)
    if waiting is not None:
        return _judged(waiting)
    reason = due(name)
    if reason is None:
        return None
    try:
        return learn(name, why=reason.why)
    except (AlreadyTraining, RunLost):
        return None


def due(name: str) -> Due | None:
    """Whether a cut-short run is to go on, or enough was corrected since the last training."""
    newest = datasets.newest(name)
    if newest is not None and _cut_short(newest):
        return Due(name, f"the training on {newest} was cut short")
    trained = last_trained(name)
    count = new_corrections(name, trained)
    wanted = FlywheelSettings.current()
    if count >= wanted.enough:
        return Due(name, f"{count} new corrections; {wanted.enough} are enough")
    since = trained.created_at if trained else _first_correction(name)
    if count >= wanted.weekly and since is not None and timezone.now() - since >= WEEK:
        return Due(name, f"{count} new corrections in a week; {wanted.weekly} are enough")
    return None


def new_corrections(name: str, since: Snapshot | None) -> int:
    """How many final verdicts came after the last one that the snapshot knew."""
    rows = corrected_texts.learnable(datasets.schema_of(name))
    return int(rows.filter(pk__gt=since.last_correction if since else 0).count())


def last_trained(name: str) -> Snapshot | None:
    """The newest snapshot that a run began with."""
    hashes = TrainingRun.objects.filter(name=name).exclude(snapshot_hash="")
    rows = Snapshot.objects.filter(name=name, digest__in=hashes.values("snapshot_hash"))
    return rows.order_by("-number").first()


def learn(name: str, *, why: str = "", who: str = WHO) -> GateVerdict | None:
    """Snapshot, train, judge: one run. None where the same examples were learned from before.

    Raises AlreadyTraining, CannotScore, OSError.
    """
    before = last_trained(name)
    snapshot = datasets.build(name)
    if snapshot == before and not _cut_short(snapshot):
        return None
    options = options_of(name, snapshot)
    asked = {key: str(value) for key, value in options.items() if value is not None}
    with runs.opened(name, args=asked, seed=SEED, who=who) as run:
        run.learned_from(snapshot.digest)
        run.log(f"{why or 'asked for'}; {snapshot}: {snapshot.examples} examples")
        tagger.run(training_run=run, **options)
        return judged_in(run)


def judged_in(run: Run) -> GateVerdict | None:
    """The verdict on what the run left; None where it cannot be judged, with the reason logged."""
    assert run.row.version is not None
    run.check_held()
    try:
        verdict = promotion.judge(run.row.version, who=run.label, run=run.row)
    except CannotScore as error:
        run.log(f"not judged: {error}")
        return None
    run.log(f"{verdict}: {verdict.why}")
    return verdict


def unjudged(name: str) -> TrainingRun | None:
    """A run that was killed after it had left a candidate, before there was a verdict on it."""
    rows = TrainingRun.objects.filter(
        name=name, state__in=(State.KILLED, State.FAILED), started_by=WHO,
        version__state=ModelVersion.State.CANDIDATE, version__verdicts=None,
    )  # fmt: skip
    return rows.select_related("version").first()


def _judged(left: TrainingRun) -> GateVerdict | None:
    """In a run of its own, so that no other of the name begins meanwhile."""
    asked = {"judge": left.version_id}
    tried = TrainingRun.objects.filter(name=left.name, args=asked)
    if tried.count() >= ATTEMPTS:
        return None
    try:
        with runs.opened(left.name, args=asked, who=WHO) as run:
            run.learned_from(left.snapshot_hash)
            assert left.version is not None
            run.produced(left.version)
            return judged_in(run)
    except (AlreadyTraining, RunLost):
        return None


def options_of(name: str, snapshot: Snapshot) -> dict[str, Any]:
    """What `train tagger` would be asked, with the encoder of the live version."""
    schema = name.partition(":")[2]
    folder = Path(settings.VAR_DIR) / "training" / "snapshots" / snapshot.digest[:16]
    datasets.export(snapshot, folder)
    parser = argparse.ArgumentParser()
    tagger.add_arguments(parser)
    given = ["--schema", schema, "--data", str(folder), "--seed", str(SEED)]
    try:
        live = tagging.live_tagger(schema)
    except TaggerUnavailable:
        live = None
    if live is not None and live.base_encoder:
        given += ["--encoder", live.base_encoder]
    return {**vars(parser.parse_args(given)), "snapshot": snapshot.digest}


def _cut_short(snapshot: Snapshot) -> bool:
    """Its last run was killed, or failed an hour ago, and was not tried too often."""
    rows = TrainingRun.objects.filter(name=snapshot.name, snapshot_hash=snapshot.digest)
    last = rows.first()
    if last is None or rows.count() >= ATTEMPTS or last.version_id is not None:
        return False
    if last.state == State.KILLED:
        return True
    ended = last.finished_at
    return last.state == State.FAILED and ended is not None and timezone.now() - ended >= PAUSE


def _first_correction(name: str) -> Any:
    rows = corrected_texts.learnable(datasets.schema_of(name))
    return rows.order_by("at").values_list("at", flat=True).first()
