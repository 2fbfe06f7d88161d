"""A candidate beside the live version on held-out documents: promoted, rejected, or asked about."""

from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command
from django.db import Error, connection, transaction
from flywheel_world import NAME, gold, live_version, small_world, version

from docintel import registry
from docintel.models import ModelFlip, ModelVersion
from extraction import tagging
from training import datasets, promotion
from training.comparing.comparison import CannotCompare
from training.models import FlywheelSettings, GateVerdict

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("equal_speed")]


@pytest.fixture
def world(settings, monkeypatch, tmp_path):
    encoder = small_world(settings, monkeypatch, tmp_path)
    data = gold(tmp_path / "gold")
    live = live_version(data, encoder, 1)
    datasets.build(NAME, gold=data)
    return data, encoder, live


def test_what_is_better_goes_live_with_its_verdict(world) -> None:
    data, encoder, live = world
    candidate = version(data, encoder, 14)
    verdict = promotion.judge(candidate)
    assert (verdict.outcome, verdict.live) == ("promoted", live)
    assert registry.live(NAME) == candidate
    flip = ModelFlip.objects.first()
    assert flip
    assert flip.who == "the gate (the gate)"
    assert flip.why.startswith(f"verdict {verdict.pk}: ")
    report = verdict.report
    assert report["documents"] == 12
    names = [check["name"] for check in report["checks"]]
    assert names == ["documents", "primary", "labels", "calibration", "throughput"]
    primary = report["checks"][1]
    assert primary["interval"][0] > 0
    assert primary["candidate"] - primary["live"] == pytest.approx(primary["difference"])
    assert verdict.snapshot_hash == datasets.newest(NAME).digest
    # The next text is read by it, without a restart.
    assert {span.label for span in tagging.tag("net sales was $ 12", "kpis")} == {"kpi", "cy"}


def test_what_is_not_better_is_rejected_and_can_never_go_live(world) -> None:
    data, encoder, _live = world
    registry.make_live(version(data, encoder, 14))
    good = registry.live(NAME)
    verdict = promotion.judge(version(data, encoder, 1))
    assert verdict.outcome == "rejected"
    assert "not shown to be better" in verdict.why
    assert verdict.report["detail"]["new_errors"]["missed"]
    assert registry.live(NAME) == good
    assert verdict.candidate.state == "rejected"
    with pytest.raises(registry.CannotFlip, match="was rejected"):
        registry.make_live(verdict.candidate)
    with pytest.raises(CannotCompare, match="only a candidate is judged"):
        promotion.judge(ModelVersion.objects.get(pk=verdict.candidate_id))


def test_a_person_is_asked_where_the_settings_say_so(world) -> None:
    data, encoder, live = world
    FlywheelSettings.objects.update_or_create(pk=1, defaults={"mode": "ask"})
    candidate = version(data, encoder, 14)
    verdict = promotion.judge(candidate)
    assert verdict.outcome == "asked"
    assert registry.live(NAME) == live
    registry.make_live(candidate, who="eve", why="I looked at it")
    assert registry.live(NAME) == candidate


def test_documents_that_either_learned_from_do_not_count(world, tmp_path) -> None:
    data, encoder, _live = world
    everything = tmp_path / "all"
    everything.mkdir()
    text = (data / "sentences.jsonl").read_text().replace('"valid"', '"train"', 7)
    (everything / "sentences.jsonl").write_text(text)
    candidate = version(everything, encoder, 14)
    with pytest.raises(CannotCompare, match=r"5 held-out documents .* too few; 8 are needed"):
        promotion.judge(candidate)
    candidate.refresh_from_db()
    assert candidate.state == "candidate"
    assert not GateVerdict.objects.exists()


def test_nothing_changes_where_another_went_live_meanwhile(world, monkeypatch) -> None:
    data, encoder, _live = world
    candidate = version(data, encoder, 14)
    other = version(data, encoder, 2)
    measure = promotion.ruling_on

    def meanwhile(compared):
        registry.make_live(other, who="adam")
        return measure(compared)

    monkeypatch.setattr(promotion, "ruling_on", meanwhile)
    with pytest.raises(CannotCompare, match="changed meanwhile"):
        promotion.judge(candidate)
    assert registry.live(NAME) == other
    assert not GateVerdict.objects.exists()


def test_verdict_and_flip_are_one(world, monkeypatch) -> None:
    data, encoder, _live = world
    candidate = version(data, encoder, 14)

    def refuse(*_: object, **__: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(registry, "make_live", refuse)
    with pytest.raises(OSError, match="no space"):
        promotion.judge(candidate)
    assert not GateVerdict.objects.exists()
    assert ModelVersion.objects.get(pk=candidate.pk).state == "candidate"


def test_a_verdict_never_changes(world) -> None:
    data, encoder, _live = world
    verdict = promotion.judge(version(data, encoder, 14))
    with pytest.raises(Error, match="append-only"), transaction.atomic():
        GateVerdict.objects.filter(pk=verdict.pk).update(outcome="rejected")
    with pytest.raises(Error, match="append-only"), transaction.atomic():
        connection.cursor().execute("DELETE FROM training_gateverdict")


def test_the_command_tells_every_check(world, capsys) -> None:
    data, encoder, _live = world
    with pytest.raises(CommandError, match="has no candidate"):
        call_command("judge", NAME)
    version(data, encoder, 14)
    call_command("judge", NAME, "--data", str(data), "--mode", "ask")
    said = capsys.readouterr().out
    assert said.count("passed ") == 5
    assert "waits for a person" in said
    with pytest.raises(CannotCompare, match="no gate for a test"):
        promotion.judge(ModelVersion.objects.create(name="test", version="1", digest="0"))
