"""Training runs: one at a time per name, a kill is seen, and what a run left is found again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection

from docintel import postgres, registry
from docintel.models import ModelFlip, ModelVersion
from docintel.scoring import CannotScore
from training import fitting_router, runs
from training.models import TrainingRun
from training.runs import AlreadyTraining, RunLost

ROOT = Path(__file__).resolve().parent.parent
State = TrainingRun.State

TRAIN = """
import os, sys, django
os.environ["DJANGO_SETTINGS_MODULE"] = "docintel.settings"
django.setup()
from training import runs
with runs.opened(sys.argv[1], args={"epochs": 3}, seed=7) as run:
    (run.folder / "step-1.json").write_text("{}")
    run.log("begun")
    run.progress(0.5)
    print("going", flush=True)
    sys.stdin.readline()
"""


def begin(name: str) -> subprocess.Popen[str]:
    here = postgres.url(settings.VAR_DIR, connection.settings_dict["NAME"])
    process = subprocess.Popen(
        [sys.executable, "-c", TRAIN, name],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": here},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    assert process.stdout.readline() == "going\n"
    return process


@pytest.mark.django_db(transaction=True)
def test_one_at_a_time_per_name_and_a_killed_one_is_seen_and_resumed() -> None:
    process = begin("tagger:kill")
    try:
        with pytest.raises(AlreadyTraining, match=rf"goes on since .* \(process {process.pid} on"):
            runs.opened("tagger:kill").__enter__()
        with runs.opened("tagger:other"):
            assert runs.mark_killed() == 0
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    _until_the_server_knows("tagger:kill")
    assert runs.mark_killed() == 1
    killed = TrainingRun.objects.get(name="tagger:kill")
    assert (killed.state, killed.progress, killed.log) == (State.KILLED, 0.5, "begun\n")
    with runs.opened("tagger:kill", args={"epochs": 4}, seed=7) as run:
        assert run.row.resumed_from is None
        assert not any(run.folder.iterdir())
    with runs.opened("tagger:kill", args={"epochs": 3}, seed=7) as run:
        assert run.row.resumed_from == killed
        assert (run.folder / "step-1.json").exists()
    assert not run.folder.exists()
    with runs.opened("tagger:kill", args={"epochs": 3}, seed=7) as run:
        assert run.row.resumed_from is None


def _until_the_server_knows(name: str) -> None:
    """The server's own process ends by itself; waiting for the lock is waiting for that."""
    with psycopg.connect(
        postgres.url(settings.VAR_DIR, connection.settings_dict["NAME"]), autocommit=True
    ) as own:
        own.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [f"training:{name}"])


@pytest.mark.django_db(transaction=True)
def test_a_next_run_marks_the_killed_one_by_itself() -> None:
    process = begin("tagger:next")
    process.send_signal(signal.SIGKILL)
    process.wait()
    _until_the_server_knows("tagger:next")
    with runs.opened("tagger:next"):
        states = list(TrainingRun.objects.values_list("state", flat=True))
        assert sorted(states) == [State.KILLED, State.RUNNING]
        # The name is held again, by a later run: the earlier row is not mistaken for it.
        TrainingRun.objects.filter(state=State.KILLED).update(state=State.RUNNING)
        assert runs.mark_killed() == 1


@pytest.mark.django_db(transaction=True)
def test_how_a_run_ended_is_on_its_row() -> None:
    version = registry.add("tagger:x", "1", "0")
    with runs.opened("tagger:x", who="olga") as run:
        run.log("one")
        run.log("two")
        run.learned_from("5" * 64)
        run.produced(version)
    row = TrainingRun.objects.get()
    assert (row.state, row.progress, row.log, row.version) == (
        State.FINISHED, 1.0, "one\ntwo\n", version
    )  # fmt: skip
    assert row.seconds is not None
    assert (row.snapshot_hash, row.started_by) == ("5" * 64, "olga")
    with pytest.raises(ValueError, match="bad"), runs.opened("tagger:x") as run:
        raise ValueError("bad data")
    row = TrainingRun.objects.first()
    assert (row.state, row.error) == (State.FAILED, "bad data")
    with pytest.raises(KeyboardInterrupt), runs.opened("tagger:x"):
        raise KeyboardInterrupt
    assert TrainingRun.objects.first().error == "KeyboardInterrupt"


@pytest.mark.django_db(transaction=True)
def test_a_run_whose_session_was_ended_keeps_nothing() -> None:
    def lose_the_session() -> None:
        with runs.opened("tagger:y") as run:
            with run._lock.cursor() as cursor:
                cursor.execute("SELECT pg_backend_pid()")
                held_by = cursor.fetchone()[0]
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [held_by])
            run.progress(0.9)

    with pytest.raises(RunLost, match="session that held its name"):
        lose_the_session()
    assert TrainingRun.objects.get().state == State.FAILED
    with runs.opened("tagger:y"):
        pass


@pytest.mark.django_db(transaction=True)
def test_a_very_long_log_keeps_its_end(capsys: pytest.CaptureFixture[str]) -> None:
    with runs.opened("tagger:z") as run:
        run.log("x" * runs.LONGEST_LOG)
        run.log("last")
    row = TrainingRun.objects.get()
    assert len(row.log) == runs.LONGEST_LOG
    assert row.log.endswith("x\nlast\n")


@pytest.mark.django_db(transaction=True)
def test_train_opens_a_run_and_the_version_names_it(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("train", "router", "--strength", "2")
    row = TrainingRun.objects.get()
    assert (row.name, row.state, row.args["strength"]) == ("router", State.FINISHED, 2.0)
    assert "accuracy on held-out families" in row.log
    assert row.version == ModelVersion.objects.get(name="router", state="candidate")
    assert row.version.created_by == f"training run {row.pk} of router"
    call_command("models", "router")
    shown = capsys.readouterr().out
    assert "candidate" in shown
    assert f"training run {row.pk}" in shown
    with runs.opened("router"), pytest.raises(CommandError, match="one at a time per name"):
        call_command("train", "router")


@pytest.mark.django_db(transaction=True)
def test_what_cannot_be_trained_leaves_a_failed_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(**_: object) -> None:
        raise CannotScore("label more first")

    monkeypatch.setattr(fitting_router, "run", nothing)
    with pytest.raises(CommandError, match="label more first"):
        call_command("train", "router")
    row = TrainingRun.objects.get()
    assert (row.state, row.error) == (State.FAILED, "label more first")


@pytest.mark.django_db
def test_promote_and_roll_back_by_hand(capsys: pytest.CaptureFixture[str]) -> None:
    for label in "ab":
        registry.add("tagger:p", label, label)
    call_command("promote", "tagger:p", "1")
    call_command("promote", "tagger:p", "2", "--why", "dates are right now")
    call_command("promote", "tagger:p", "2")
    call_command("promote", "tagger:p", "--back", "--why", "they were not")
    said = capsys.readouterr().out.splitlines()
    assert said == [
        "tagger:p version 1 is live.",
        "tagger:p version 2 is live; version 1 is retired.",
        "tagger:p version 2 is live already.",
        "tagger:p version 1 is live; version 2 is retired.",
    ]
    assert [flip.why for flip in ModelFlip.objects.order_by("pk")] == [
        "", "dates are right now", "they were not"
    ]  # fmt: skip
    assert all("command line" in flip.who for flip in ModelFlip.objects.all())
    for wrong, reason in ((["9"], "there: 1, 2"), (["--back"], "displaced nothing")):
        with pytest.raises(CommandError, match=reason):
            call_command("promote", "tagger:p", *wrong)
    assert ModelVersion.objects.get(state="live").number == 1
