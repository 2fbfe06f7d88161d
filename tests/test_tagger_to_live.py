"""From labelled texts to a served model and its score, with real parts throughout."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.core.management import call_command
from tiny_taggers import sentences, tiny_encoder

from docintel import registry
from docintel.models import ModelVersion
from extraction import tagging
from training.models import TrainingRun

pytestmark = pytest.mark.django_db(transaction=True)


def test_what_is_trained_is_kept_promoted_and_scored(
    settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.MEDIA_ROOT, settings.MODELS_DIR = tmp_path / "files", tmp_path / "models"
    data = tmp_path / "data"
    data.mkdir()
    lines = sentences(40, "train") + sentences(9, "valid")
    (data / "sentences.jsonl").write_text("\n".join(lines))
    encoder = tmp_path / "encoder"
    encoder.mkdir()
    tiny_encoder(encoder)
    tagging._loaded.clear()
    before = registry.live("tagger:kpis")
    call_command(
        "train", "tagger", "--schema", "kpis", "--data", str(data), "--encoder", str(encoder),
        "--device", "cpu", "--epochs", "20", "--folds", "0", "--rate", "0.01", "--rank", "8",
    )  # fmt: skip
    version = ModelVersion.objects.get(name="tagger:kpis", state="candidate")
    run = TrainingRun.objects.get()
    assert (run.state, run.version) == ("finished", version)
    assert version.created_by == str(run)
    assert version.snapshot_hash == run.snapshot_hash != ""
    assert {"tagger.json", "card.md", "learned.json", "heads.safetensors"} <= set(version.files)
    assert registry.live("tagger:kpis") == before
    call_command("promote", "tagger:kpis", str(version.number))
    capsys.readouterr()
    call_command("evaluate", "extraction", str(data), "--dataset", "kpi_edgar", "--json")
    score = json.loads(capsys.readouterr().out.splitlines()[-1])
    detail = score["detail"]
    assert detail["version"] == f"tagger:kpis {version.number}"
    assert (detail["documents"], detail["documents_learned_from"]) == (9, 0)
    assert detail["span_f1_strict"] > 0.9
    assert detail["relation_f1_strict"] > 0.9
    call_command("evaluate", "extraction", str(data), "--dataset", "kpi_edgar", "--part", "train",
                 "--json")  # fmt: skip
    score = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert score["detail"]["documents_learned_from"] == 40
    text = "net sales was $ 12"
    shown, ranked = tagging.tag_ranked([text], "kpis", 0.001)[0]
    assert shown == tagging.tag(text, "kpis")
    assert len(ranked) >= len(shown) == 2
    call_command("train", "tagger-confidence", "--schema", "kpis", "--data", str(data))
    again = ModelVersion.objects.get(name="tagger:kpis", state="candidate")
    assert again.files["heads.safetensors"] == version.files["heads.safetensors"]
    assert again.files["tagger.json"] != version.files["tagger.json"]
    assert again.card.startswith(version.card)
    assert "Calibrated again" in again.card
    assert (again.base_encoder, again.snapshot_hash) == (str(encoder), version.snapshot_hash)
    call_command("promote", "tagger:kpis", str(again.number))
    assert [(s.start, s.end, s.label) for s in tagging.tag(text, "kpis")] == [
        (s.start, s.end, s.label) for s in shown
    ]
