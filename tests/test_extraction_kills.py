"""A worker killed in the middle of an extraction loses nothing and doubles nothing."""

from __future__ import annotations

import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from extraction_corpus import go_live, put
from killed_workers import kill_when_there, said, start

from extraction import claiming_runs
from extraction.result_tables import ExtractedRelation, ExtractedSpan, ExtractionRun
from extraction.schema_tables import Schema
from tests.waiting import ENOUGH_SECONDS

DOCUMENTS = 3
State = ExtractionRun.State

WORKER = """
import os, sys
import django
django.setup()
sys.path.insert(0, "tests")
from docintel import registry
from extraction import catching_up, extracting, tagging
from extraction_corpus import find

tagging.tag = find
tagging.live_tagger = lambda name: registry.live(f"tagger:{name}")

def stop_here(*_, **__):
    print("here", flush=True)
    sys.stdin.read()
    os._exit(3)

def stopping_for(word):
    return lambda text, schema: stop_here() if word in text else find(text)
"""
STOP = {
    "tagging": "tagging.tag = stop_here",
    "writing": "extracting.finish = stop_here",
    "poison": 'tagging.tag = stopping_for("poison")',
    "never": "",
}
RUN = """
while catching_up.extract_pending(60):
    pass
print("done", flush=True)
"""

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def tagger(db: None) -> None:
    from extraction.changing_schemas import seed_schemas

    seed_schemas()  # An earlier test's flush took them.
    Schema.objects.exclude(name="kpis").update(active=False)
    go_live()


def worker(stop: str, tmp_path: Path) -> subprocess.Popen[str]:
    return start(WORKER + STOP[stop] + RUN, tmp_path)


def let_leases_end() -> None:
    past = timezone.now() - timedelta(seconds=1)
    ExtractionRun.objects.filter(claim__isnull=False).update(claimed_until=past)


def assert_all_extracted_once(documents: int) -> None:
    runs = ExtractionRun.objects.all()
    assert runs.count() == documents
    assert {run.state for run in runs} == {State.FINISHED}
    assert all(run.shown and run.claim is None and run.attempts == 0 for run in runs)
    for run in runs:
        assert run.spans.count() == run.span_count == 4
        assert run.relations.count() == run.relation_count == 2


@pytest.mark.parametrize("stage", ["tagging", "writing"])
def test_killed_in_the_middle(stage: str, tmp_path: Path) -> None:
    for _ in range(DOCUMENTS):
        put()
    kill_when_there(worker(stage, tmp_path))
    held = ExtractionRun.objects.get(claim__isnull=False)
    assert (held.state, held.attempts) == (State.RUNNING, 1)
    assert not ExtractedSpan.objects.exists(), "nothing half-written is seen"
    let_leases_end()

    again = worker("never", tmp_path)
    assert said(again) == "done"
    assert again.wait(timeout=ENOUGH_SECONDS) == 0
    assert_all_extracted_once(DOCUMENTS)


def test_a_document_that_kills_its_worker_is_given_up_and_its_neighbours_are_not(
    tmp_path: Path,
) -> None:
    put()
    poison = put("poison")
    put()
    for _ in range(3):
        kill_when_there(worker("poison", tmp_path))
        let_leases_end()
    again = worker("never", tmp_path)
    assert said(again) == "done"
    assert again.wait(timeout=ENOUGH_SECONDS) == 0
    given_up = ExtractionRun.objects.failed().get()
    assert given_up.document == poison
    assert given_up.failed_reason == claiming_runs.KILLED
    poison.refresh_from_db()
    assert poison.state == "searchable"
    ExtractionRun.objects.failed().delete()
    assert_all_extracted_once(2)


def test_two_workers_share_the_work(tmp_path: Path) -> None:
    for _ in range(8):
        put()
    workers = [worker("never", tmp_path) for _ in range(2)]
    assert [said(process) for process in workers] == ["done", "done"]
    assert [process.wait(timeout=ENOUGH_SECONDS) for process in workers] == [0, 0]
    assert_all_extracted_once(8)
    assert ExtractedRelation.objects.count() == 16
