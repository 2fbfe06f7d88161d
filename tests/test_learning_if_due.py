"""When a tagger learns again, what it learns from, and what a kill or a full disk leaves."""

from __future__ import annotations

import subprocess
from datetime import timedelta

import pytest
from django.db import Error, connection, transaction
from django.utils import timezone
from flywheel_world import NAME, QUICK, gold, live_version, reviewed, small_world
from killed_workers import start

from docintel import registry
from docintel.models import ModelFlip, ModelVersion
from training import datasets, learning_if_due, promotion
from training.models import FlywheelSettings, GateVerdict, Snapshot, TrainingRun

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("equal_speed")]
LEARN = """
import os, sys, django
os.environ["DJANGO_SETTINGS_MODULE"] = "docintel.settings"
django.setup()
from training import gate, learning_if_due, promotion
from training.learning import tagger
gate.LEAST_SPEED = 0.0
tagger.PRESETS["kpis"] = {quick!r}
def stop(*_, **__):
    print("here", flush=True)
    sys.stdin.readline()
{where}
learning_if_due.learn_if_due("tagger:kpis")
"""
# Where the trainer is killed: when the snapshot stands and no run has begun, in the third step of
# the training, while the candidate's files are written, and when the verdict is decided.
AT = {
    "freezing": """
from training import runs
runs.opened = stop
""",
    "keeping": """
from docintel import artefacts
store = artefacts._store
def half(*given):
    store(*given)
    stop()
artefacts._store = half
""",
    "training": """
from extraction.ml.learning import Learner
step = Learner._step
def third(self, lessons, number, total):
    if number == 3:
        self._save(2)
        stop()
    return step(self, lessons, number, total)
Learner._step = third
""",
    "deciding": "promotion.decide = stop",
}


@pytest.fixture
def world(settings, monkeypatch, tmp_path):
    encoder = small_world(settings, monkeypatch, tmp_path)
    data = gold(tmp_path / "gold")
    live = live_version(data, encoder, 1)
    datasets.build(NAME, gold=data)
    FlywheelSettings.objects.update_or_create(pk=1, defaults={"enough": 10, "weekly": 4})
    return live


def test_it_learns_when_enough_was_corrected_and_not_before(world) -> None:
    assert learning_if_due.due(NAME) is None
    reviewed(4)
    assert learning_if_due.due(NAME) is None
    reviewed(1, first=4)
    reason = learning_if_due.due(NAME)
    assert reason
    assert reason.why == "10 new corrections; 10 are enough"
    verdict = learning_if_due.learn_if_due(NAME)
    assert verdict
    assert verdict.outcome == "promoted"
    run, snapshot = TrainingRun.objects.get(), datasets.newest(NAME)
    assert snapshot is not None
    assert (run.state, run.version, verdict.run) == ("finished", registry.live(NAME), run)
    assert run.snapshot_hash == run.version.snapshot_hash == snapshot.digest
    assert (snapshot.number, snapshot.corrections) == (2, 10)
    assert "10 new corrections" in run.log
    assert learning_if_due.due(NAME) is None
    assert learning_if_due.learn_if_due(NAME) is None


def test_a_few_are_enough_once_a_week(world) -> None:
    reviewed(2, at=timezone.now() - timedelta(days=8))
    reason = learning_if_due.due(NAME)
    assert reason
    assert reason.why == "4 new corrections in a week; 4 are enough"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("where", list(AT))
def test_a_killed_trainer_goes_on_and_never_half_promotes(world, settings, where) -> None:
    reviewed(5)
    process = _trainer(settings, where)
    try:
        assert process.stdout is not None
        said = ""
        while said != "here":
            said = process.stdout.readline().strip()
            assert process.poll() is None
        if where == "training":
            # One at a time: this one is turned away.
            assert learning_if_due.learn_if_due(NAME) is None
    finally:
        process.kill()
        process.wait()
    assert registry.live(NAME) == world
    assert not GateVerdict.objects.exists()
    _until_free()
    verdict = learning_if_due.learn_if_due(NAME)
    assert verdict
    assert verdict.outcome == "promoted"
    *cut_short, after = TrainingRun.objects.order_by("pk")
    assert after.state == "finished"
    assert [each.state for each in cut_short] == ([] if where == "freezing" else ["killed"])
    assert registry.live(NAME) == after.version == verdict.candidate
    assert Snapshot.objects.filter(digest=after.snapshot_hash).count() == 1
    for killed in cut_short:
        resumed = where in {"training", "keeping"}
        assert after.resumed_from == (killed if resumed else None)
        assert killed.version == (None if resumed else after.version)
        assert after.snapshot_hash == killed.snapshot_hash == after.version.snapshot_hash
    # The files of a candidate that was never kept are in nobody's way.
    assert after.version.number == world.number + 1
    assert ModelFlip.objects.filter(version=after.version).count() == 1


def test_a_full_disk_fails_the_run_and_is_tried_again_later(world, monkeypatch) -> None:
    from docintel import artefacts

    reviewed(5)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(artefacts, "_store", full)
        with pytest.raises(OSError, match="No space left"):
            learning_if_due.learn_if_due(NAME)
    run = TrainingRun.objects.get()
    assert (run.state, run.version) == ("failed", None)
    assert "No space left" in run.error
    assert registry.live(NAME) == world
    assert not ModelVersion.objects.filter(state="candidate").exists()
    assert learning_if_due.due(NAME) is None
    TrainingRun.objects.update(finished_at=timezone.now() - timedelta(hours=2))
    reason = learning_if_due.due(NAME)
    assert reason
    assert "was cut short" in reason.why
    TrainingRun.objects.create(name=NAME, state="failed", snapshot_hash=run.snapshot_hash)
    TrainingRun.objects.create(name=NAME, state="killed", snapshot_hash=run.snapshot_hash)
    assert learning_if_due.due(NAME) is None, "three attempts are all"


def test_a_poisoned_batch_is_rejected_and_found(world, monkeypatch) -> None:
    """Mallory swaps both labels of forty documents; Eve is right."""
    good = learning_if_due.learn(NAME)
    assert good
    assert good.outcome == "promoted"
    reviewed(6, "eve")
    reviewed(40, "mallory", wrong=True, first=100)
    verdict = learning_if_due.learn_if_due(NAME)
    assert verdict
    assert verdict.outcome == "rejected"
    assert registry.live(NAME) == good.candidate
    hurt = {(row["kind"], row["name"]): row for row in verdict.report["detail"]["hurt"]}
    assert hurt["expert", "mallory"]["gained_without"] > 0.1
    assert hurt["expert", "eve"]["gained_without"] < hurt["expert", "mallory"]["gained_without"]


def test_a_snapshot_cannot_be_changed(world) -> None:
    for sql in (
        "UPDATE training_snapshot SET digest = '0'",
        "DELETE FROM training_snapshotdocument",
    ):
        with pytest.raises(Error, match="append-only"), transaction.atomic():
            connection.cursor().execute(sql)
    assert Snapshot.objects.count() == 1
    assert FlywheelSettings.current().mode == promotion.Mode.AUTOMATIC


def _trainer(settings, where: str) -> subprocess.Popen[str]:
    code = LEARN.format(quick=QUICK, where=AT[where])
    return start(
        code,
        settings.MEDIA_ROOT,
        DOCINTEL_ROLE="trainer",
        DOCINTEL_VAR=str(settings.VAR_DIR),
        MODELS_DIR=str(settings.MODELS_DIR),
    )


def _until_free() -> None:
    """The server notices a dead client within moments; its lock goes then."""
    from training import runs

    for _ in range(10_000):
        if not runs._is_held(NAME):
            return
    raise AssertionError("the killed trainer still holds its name")
