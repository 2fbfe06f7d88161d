"""A training that begins with the live tagger: its weights, and none of its documents scored."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from django.core.management import CommandError, call_command
from tiny_taggers import GROUPS, examples, sentences, tiny_encoder

from docintel import artefacts
from docintel.models import ModelVersion
from docintel.scoring import CannotScore
from extraction import tagging
from extraction.ml.artefact import open_network
from extraction.ml.folders import LEARNED, read_sheet
from extraction.ml.learning import Course
from extraction.ml.settings import Design
from extraction.ml.splitting import mark
from extraction.ml.training import Base, Material, Plan, save, train
from extraction.schema import bundled
from training.learning import tagger_ablation, tagger_beginning

DESIGN = Design(GROUPS, rank=4, hidden=32, length=20, stride=10)
STILL = Course(epochs=1, batch=8, rate=0.0, head_rate=0.0)


def ignore(*_: object) -> None:
    """Watch nothing."""


def test_it_goes_on_from_the_weights_of_the_folder(tmp_path: Path) -> None:
    torch.set_num_threads(1)
    base = Base("tiny", tiny_encoder(tmp_path / "tiny"))
    known = examples(60)
    material = Material(known[:40], known[40:50], known[50:])
    outcome = train(
        material, Plan(base, DESIGN, Course(2, 8, 5e-3, 1e-2)), tmp_path / "work", ignore
    )
    folder = tmp_path / "folder"
    save(outcome, folder, "# A tiny tagger\n")
    before = dict(open_network(folder, read_sheet(folder), base.folder).named_parameters())
    gone_on, _, _ = Plan(base, DESIGN, STILL, begin=folder).learn(known, None, ignore)
    anew, _, _ = Plan(base, DESIGN, STILL).learn(known, None, ignore)
    after, other = dict(gone_on.named_parameters()), dict(anew.named_parameters())
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert not torch.equal(before["types.weight"], other["types.weight"])


def labelled(folder: Path, learned: int, valid: list[str]) -> Path:
    """A folder of so many sentences to learn from, and of these documents to score on."""
    lines = sentences(learned, "train")
    for line, document in zip(sentences(len(valid), "valid"), valid, strict=True):
        lines.append(json.dumps({**json.loads(line), "doc": document}))
    folder.mkdir()
    (folder / "sentences.jsonl").write_text("\n".join(lines))
    return folder


@pytest.mark.django_db(transaction=True)
def test_the_command_goes_on_from_what_is_live(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT, settings.MODELS_DIR = tmp_path / "files", tmp_path / "models"
    tagging._loaded.clear()
    encoder = str(tiny_encoder(tmp_path / "encoder"))
    first = labelled(tmp_path / "first", 40, ["valid 0", "valid 1"])
    asked = ("train", "tagger", "--schema", "kpis", "--device", "cpu", "--folds", "0")
    call_command(*asked, "--data", str(first), "--encoder", encoder, "--epochs", "1", "--rank", "8")
    version = ModelVersion.objects.get(name="tagger:kpis", state="candidate")
    call_command("promote", "tagger:kpis", str(version.number))
    # Of the new texts to score on one was learned from before.
    second = labelled(tmp_path / "second", 20, ["train 30", "new 1", "new 2"])
    call_command(
        *asked, "--data", str(second), "--from-live", "--epochs", "1", "--rate", "1e-9",
        "--head-rate", "1e-9",
    )  # fmt: skip
    after = ModelVersion.objects.get(name="tagger:kpis", state="candidate")
    assert after.base_encoder == encoder
    for name in ("adapter.safetensors", "heads.safetensors"):
        assert after.files[name] == version.files[name]
    assert f"Goes on from {version}" in after.card
    assert "On 2 texts" in after.card
    marks = set(json.loads((artefacts.open_folder(after) / LEARNED).read_text()))
    assert {mark("train 30"), mark("train 0")} <= marks
    assert mark("new 1") not in marks
    with pytest.raises(CommandError, match="folds"):
        call_command(*asked[:-1], "3", "--data", str(second), "--from-live")


@pytest.mark.django_db
def test_what_cannot_be_gone_on_from_is_refused_in_words(tmp_path: Path) -> None:
    begin = tagger_beginning.live("contracts")
    with pytest.raises(CannotScore, match="labels"):
        begin.design(bundled("kpis"), "overlap")
    assert begin.design(bundled("contracts"), "exact").match == "exact"
    base = Base("tiny", tiny_encoder(tmp_path / "tiny"))
    with pytest.raises(CannotScore, match="another tokenizer"):
        begin.check(Plan(base, begin.sheet.design, STILL))
    with pytest.raises(CannotScore, match="no tagger of nothing is live"):
        tagger_beginning.live("nothing")
    with pytest.raises(CannotScore, match="the encoder alone"):
        tagger_ablation.run(schema="contracts", from_live=True)
