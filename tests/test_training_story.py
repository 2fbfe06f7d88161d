"""The page that tells what became of corrections; it shows no text of any document."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.utils import timezone
from flywheel_world import NAME, reviewed

from docintel import registry
from docintel.models import ModelVersion
from training.models import FlywheelSettings, GateVerdict, Snapshot, TrainingRun

pytestmark = pytest.mark.django_db
PAGE = "/admin/training/trainingrun/story/"


def check(name: str, said: str, *, passed: bool = True, **values: object) -> dict[str, object]:
    empty = dict.fromkeys(
        ["candidate", "live", "difference", "interval", "candidate_interval", "live_interval"]
    )
    return {"name": name, "passed": passed, "said": said, **empty, **values}


def told(*, passed: bool, f1: float, hurt: list[dict[str, object]] | None = None) -> dict:
    primary = check(
        "primary", f"F1 {f1:.3f}", passed=passed, candidate=f1, live=0.5,
        candidate_interval=[f1 - 0.05, f1 + 0.05], live_interval=[0.45, 0.55],
    )  # fmt: skip
    labels = [{"label": "<b>kpi", "n": 40, "candidate": f1, "live": 0.4, "counts": True}]
    return {
        "measure": "F1 of spans (exact match)", "documents": 12, "labels": labels,
        "checks": [primary, check("throughput", "1.02 times")], "detail": {"hurt": hurt or []},
    }  # fmt: skip


def one_turn(number: int, outcome: str, **report: object) -> ModelVersion:
    candidate = ModelVersion.objects.create(name=NAME, version=str(number), digest=str(number))
    snapshot = Snapshot.objects.create(
        name=NAME, number=number, digest=f"{number}" * 64, file="x", as_of=timezone.now(),
        examples=1234, test_examples=100, documents=50, test_documents=10, corrections=200,
    )  # fmt: skip
    run = TrainingRun.objects.create(
        name=NAME, state="finished", seconds=7200, version=candidate,
        snapshot_hash=snapshot.digest,
    )  # fmt: skip
    if outcome == "promoted":
        registry.make_live(candidate)
    GateVerdict.objects.create(
        candidate=candidate, run=run, outcome=outcome, why="", seconds=3,
        report=told(passed=outcome == "promoted", **report), snapshot_hash=snapshot.digest,
    )  # fmt: skip
    return candidate


def test_from_corrections_to_live_since(client: Client, eve) -> None:
    FlywheelSettings.objects.update_or_create(pk=1, defaults={"dollars_per_hour": "1.50"})
    first = one_turn(1, "promoted", f1=0.6)
    blame = {
        "kind": "expert", "name": "mallory", "corrections": 40, "gained_without": 0.21,
        "interval": [0.1, 0.3], "hurt": True,
    }  # fmt: skip
    one_turn(2, "rejected", f1=0.4, hurt=[blame])
    one_turn(3, "promoted", f1=0.7)
    reviewed(3, "eve", audit=True)
    client.force_login(eve)
    page = client.get(PAGE, {"name": NAME}).content.decode()
    words = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))
    for expected in (
        "1,234 examples, 200 corrections", "finished", "7,200 s, $3.00", "Rejected", "Promoted",
        "expert mallory", "0.210", "0.100 to 0.300", "F1 of spans (exact match) by version",
        "version 3", "learns again at 200", "1.02 times", "Right on real documents",
    ):  # fmt: skip
        assert expected in words
    # New since the last training: six verdicts, all right, all of the audit sample.
    assert re.search(r"New corrections 6 ", words)
    assert re.search(r"3 6 6 1\.000", words)
    assert "&lt;b&gt;kpi (40)" in page
    assert page.count('class="story-chart"') == 3 + 3
    assert re.search(r"since [\d-]+ [\d:]+ until", words), first


def test_nothing_in_it_can_be_changed_and_unknown_names_are_missing(client: Client, olga) -> None:
    client.force_login(olga)
    assert client.get(PAGE).status_code == 200
    assert client.post(PAGE).status_code == 405
    assert client.get(PAGE, {"name": "tagger:nothing"}).status_code == 404
    assert PAGE in client.get("/admin/training/trainingrun/").content.decode()


def test_a_run_that_failed_says_why(client: Client, olga) -> None:
    TrainingRun.objects.create(name="router", state="failed", error="label <more> first")
    client.force_login(olga)
    page = client.get(PAGE, {"name": "router"}).content.decode()
    assert "label &lt;more&gt; first" in page
