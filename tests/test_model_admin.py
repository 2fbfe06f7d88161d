"""Experts of the house flip models by a click: who may, what is said, and the trail it leaves."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from docintel import artefacts, registry
from docintel.models import ModelFlip, ModelVersion
from training.models import TrainingRun

pytestmark = pytest.mark.django_db
LIST = "/admin/docintel/modelversion/"


@pytest.fixture
def versions(settings, tmp_path: Path) -> list[ModelVersion]:
    settings.MEDIA_ROOT = tmp_path / "files"
    made = []
    for f1 in (0.41, 0.52):
        folder = tmp_path / f"made-{f1}"
        folder.mkdir()
        (folder / "tagger.json").write_text(json.dumps({"f1": f1}))
        made.append(
            artefacts.keep(
                folder, "tagger:test", metrics={"f1": f1, "by_label": {"KPI": f1}},
                card="# A tagger\n<b>not bold</b>", created_by="training run 9",
            )
        )  # fmt: skip
    return made


def act(client, action: str, *chosen: ModelVersion, why: str = "") -> str:
    form = {"action": action, "_selected_action": [row.pk for row in chosen], "why": why}
    return client.post(LIST, form, follow=True).content.decode()


def test_an_operator_makes_one_live_and_rolls_back(client, olga, versions) -> None:
    client.force_login(olga)
    first, second = versions
    assert "tagger:test 1 is live." in act(client, "make_live", first)
    assert "tagger:test 2 is live." in act(client, "make_live", second, why="F1 0.52")
    assert "It is live already." in act(client, "make_live", second)
    assert "tagger:test 1 is live again." in act(client, "roll_back", second, why="dates <i>")
    assert registry.live("tagger:test") == first
    flips = ModelFlip.objects.order_by("pk")
    assert [(flip.who, flip.why) for flip in flips] == [
        ("olga", ""), ("olga", "F1 0.52"), ("olga", "dates <i>")
    ]  # fmt: skip
    page = client.get(f"{LIST}{second.pk}/change/").content.decode()
    for words in ("2 → 1", "Rolled Back", "F1 0.52", "dates &lt;i&gt;", "training run 9",
                  second.files["tagger.json"]["sha256"], "&lt;b&gt;not bold"):  # fmt: skip
        assert words in page
    assert "f1 0.52" in client.get(LIST).content.decode()
    assert "F1 0.52" in client.get("/admin/docintel/modelflip/").content.decode()


def test_what_cannot_be_done_is_said(client, olga, versions) -> None:
    client.force_login(olga)
    first, second = versions
    assert "Choose one version." in act(client, "make_live", first, second)
    assert "Nothing has changed: no version of tagger:test is live" in act(
        client, "roll_back", first
    )
    (artefacts.open_folder(first) / "tagger.json").write_text("{}")
    assert "tagger.json is not what was kept" in act(client, "make_live", first)
    assert "Rejected; nothing is live." in act(client, "reject", second, why="worse")
    assert "was rejected" in act(client, "make_live", second)
    assert registry.live("tagger:test") is None


def test_an_expert_makes_one_live(client, eve, versions) -> None:
    client.force_login(eve)
    assert "tagger:test 1 is live." in act(client, "make_live", versions[0])


def test_others_may_not(client, ian, alice, versions) -> None:
    for person in (ian, alice):
        client.force_login(person)
        client.post(LIST, {"action": "make_live", "_selected_action": [versions[0].pk]})
    assert not ModelFlip.objects.exists()


def test_looking_at_runs_finds_those_that_were_killed(client, olga) -> None:
    row = TrainingRun.objects.create(name="tagger:gone", log="epoch 1 loss 0.5", progress=0.25)
    client.force_login(olga)
    page = client.get("/admin/training/trainingrun/").content.decode()
    assert "25%" in page
    row.refresh_from_db()
    assert row.state == TrainingRun.State.KILLED
    one = client.get(f"/admin/training/trainingrun/{row.pk}/change/").content.decode()
    assert "epoch 1 loss 0.5" in one
    assert "ended without a word" in one
