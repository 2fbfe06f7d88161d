"""The registry: one live version per name, flips in one transaction with an audit row each."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.db import Error, IntegrityError, connection, transaction

from docintel import postgres, registry
from docintel.models import ModelFlip, ModelVersion
from docintel.registry import CannotFlip

ROOT = Path(__file__).resolve().parent.parent
State = ModelVersion.State


def candidate(label: str, name: str = "tagger:test") -> ModelVersion:
    return registry.add(name, label, label * 8)


@pytest.mark.django_db
def test_numbers_count_up_within_a_name_and_the_kind_is_read_off_it() -> None:
    rows = [candidate("a"), candidate("b"), candidate("a", "router"), candidate("a")]
    assert [(row.kind, row.number) for row in rows] == [
        ("tagger", 1), ("tagger", 2), ("router", 1), ("tagger", 1)
    ]  # fmt: skip
    assert {row.state for row in rows} == {State.CANDIDATE}
    assert registry.get("tagger:test", 2) == rows[1]
    with pytest.raises(CannotFlip, match="no version 7; there: 1, 2"):
        registry.get("tagger:test", 7)


@pytest.mark.django_db
def test_making_one_live_retires_the_other_and_says_who_and_why() -> None:
    a, b = candidate("a"), candidate("b")
    registry.make_live(a, who="eve", why="first")
    registry.make_live(b, who="olga", why="better")
    assert registry.live("tagger:test") == b
    assert b.is_live
    assert ModelVersion.objects.get(pk=a.pk).state == State.RETIRED
    flips = ModelFlip.objects.filter(name="tagger:test").order_by("pk")
    assert [(f.who, f.why, f.from_version, f.to_version, f.action) for f in flips] == [
        ("eve", "first", None, a, "promoted"),
        ("olga", "better", a, b, "promoted"),
    ]
    assert registry.make_live(b) is None
    assert flips.count() == 2


@pytest.mark.django_db
def test_rolling_back_goes_one_further_each_time_and_ends_with_the_first() -> None:
    a, b, c = candidate("a"), candidate("b"), candidate("c")
    for version in (a, b, c):
        registry.make_live(version)
    flip = registry.roll_back("tagger:test", who="olga", why="wrong dates")
    assert (flip.from_version, flip.to_version, flip.action) == (c, b, "rolled back")
    assert registry.live("tagger:test") == b
    registry.roll_back("tagger:test")
    assert registry.live("tagger:test") == a
    with pytest.raises(CannotFlip, match="displaced nothing"):
        registry.roll_back("tagger:test")
    with pytest.raises(CannotFlip, match="no version of nobody"):
        registry.roll_back("nobody")
    assert registry.live("tagger:test") == a


@pytest.mark.django_db
def test_what_was_rejected_or_is_live_keeps_its_state() -> None:
    a, b = candidate("a"), candidate("b")
    registry.make_live(a)
    flip = registry.reject(b, who="gate", why="worse on dates")
    assert (flip.from_version, flip.to_version, flip.version) == (a, a, b)
    with pytest.raises(CannotFlip, match="rejected"):
        registry.make_live(b)
    with pytest.raises(CannotFlip, match="only a candidate"):
        registry.reject(a)
    with pytest.raises(CannotFlip, match="not live"):
        registry.retire(b)
    registry.retire(a, who="olga", why="unsafe")
    assert registry.live("tagger:test") is None
    assert ModelFlip.objects.latest("pk").to_version is None


@pytest.mark.django_db
def test_the_database_refuses_a_second_live_version() -> None:
    registry.make_live(candidate("a"))
    other = candidate("b")
    with pytest.raises(IntegrityError, match="one_live_version_per_name"), transaction.atomic():
        ModelVersion.objects.filter(pk=other.pk).update(state=State.LIVE)
    with pytest.raises(IntegrityError, match="model_number_once"), transaction.atomic():
        ModelVersion.objects.create(name="tagger:test", version="x", digest="x", number=1)


@pytest.mark.django_db
def test_the_history_cannot_be_rewritten() -> None:
    registry.make_live(candidate("a"))
    for change in (
        lambda: ModelFlip.objects.update(who="nobody"),
        lambda: ModelFlip.objects.all().delete(),
    ):
        with pytest.raises(Error, match="append-only"), transaction.atomic():
            change()
    assert ModelFlip.objects.count() == 1


PROMOTE = """
import os, sys, django
os.environ["DJANGO_SETTINGS_MODULE"] = "docintel.settings"
django.setup()
from django.db import connection
from docintel import postgres, registry
from docintel.models import ModelVersion
name, number = sys.argv[1], int(sys.argv[2])
print("ready", flush=True)
sys.stdin.readline()
for _ in range(20):
    version = registry.get(name, number)
    registry.make_live(version, who=f"process {number}")
    registry.register("embedder", f"model {number}", str(number))
"""


@pytest.mark.django_db(transaction=True)
def test_two_processes_that_promote_at_once_leave_one_live_version() -> None:
    for label in "ab":
        candidate(label)
    here = postgres.url(settings.VAR_DIR, connection.settings_dict["NAME"])
    environment = {**os.environ, "DATABASE_URL": here}
    started = [
        subprocess.Popen(
            [sys.executable, "-c", PROMOTE, "tagger:test", str(number)],
            cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True,
        )
        for number in (1, 2)
    ]  # fmt: skip
    for process in started:
        assert process.stdout.readline() == "ready\n"
    for process in started:
        process.stdin.write("\n")
        process.stdin.flush()
    for process in started:
        _, errors = process.communicate()
        assert process.returncode == 0, errors
    for name in ("tagger:test", "embedder"):
        rows = ModelVersion.objects.filter(name=name)
        assert sorted(rows.values_list("number", flat=True)) == [1, 2]
        assert sorted(rows.values_list("state", flat=True)) == [State.LIVE, State.RETIRED]
        # Each flip begins where the one before it ended.
        before = None
        for flip in ModelFlip.objects.filter(name=name).order_by("pk"):
            assert flip.from_version_id == before
            assert flip.to_version_id != before
            before = flip.to_version_id
        assert before == registry.live(name).pk
