"""The tagger with parts switched off, at several sizes: each run once, as long at every size."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from django.core.management import call_command

from tests.tiny_taggers import sentences, tiny_encoder
from training.learning import tagger_ablation
from training.learning.tagger_ablation import Result, in_words, results

pytestmark = pytest.mark.django_db(transaction=True)


def test_every_size_and_variant_is_learned_once(
    settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.MEDIA_ROOT, settings.MODELS_DIR = tmp_path / "files", tmp_path / "models"
    data = tmp_path / "data"
    data.mkdir()
    (data / "sentences.jsonl").write_text("\n".join(sentences(40, "train") + sentences(9, "valid")))
    seen: list[tuple[str, int, int]] = []
    one = tagger_ablation.one

    def noted(shared, plan, variant, work) -> Result:
        seen.append((variant, plan.course.limit, plan.course.epochs))
        return one(shared, plan, variant, work)

    monkeypatch.setattr(tagger_ablation, "one", noted)
    call_command(
        "train", "tagger-ablation", "--schema", "kpis", "--data", str(data), "--encoder",
        str(tiny_encoder(tmp_path / "encoder")), "--device", "cpu", "--frozen", "--batch", "8",
        "--empty-share", "0", "--steps", "20", "--epochs", "6", "--patience", "0", "--sizes", "8",
        "32", "--variants", "whole", "without CRF", "--output", str(tmp_path / "out"), "--json",
    )  # fmt: skip
    # Six epochs, and of a single batch each at least twenty steps.
    assert seen == [
        ("whole", 8, 20), ("whole", 32, 6), ("without CRF", 8, 20), ("without CRF", 32, 6),
    ]  # fmt: skip
    score = json.loads(capsys.readouterr().out.splitlines()[-1])
    rows = json.loads((tmp_path / "out" / "ablation.json").read_text())
    assert rows == score["detail"]["runs"]
    assert [(row["variant"], row["windows"]) for row in rows] == [each[:2] for each in seen]
    assert all(0 <= row["f1"] <= 1 for row in rows)
    assert [row["epochs"] for row in rows] == [each[2] for each in seen]
    assert all(1 <= row["best"] <= row["epochs"] for row in rows)
    drawn = ET.parse(tmp_path / "out" / "ablation.svg").getroot()
    assert len(drawn.findall(".//{*}polyline")) == 4


def test_what_was_done_before_a_kill_is_not_done_again(tmp_path: Path) -> None:
    done = Result("whole", 8, 7, 0.5, 0.4, 9, 7, 1.0)
    line = json.dumps({name: getattr(done, name) for name in done.__slots__})
    (tmp_path / "results.jsonl").write_text(line + '\n{"variant": "whole", "windo')
    options = {
        "schema": "kpis", "sizes": [8], "variants": ["whole"], "seed": 7, "seeds": 1,
    }  # fmt: skip
    assert results(None, options, tmp_path, None) == [done]  # type: ignore[arg-type]


def test_the_table_has_a_row_for_each_size_and_means_over_seeds() -> None:
    found = [
        Result("whole", 500, 1, 0.4, 0.2, 9, 7, 1.0),
        Result("whole", 500, 2, 0.5, 0.4, 9, 7, 1.0),
        Result("without CRF", 1_000, 1, 0.25, 0.1, 9, 7, 1.0),
    ]
    assert in_words(found).splitlines()[2:] == [
        "| 500 | 0.450 / 0.300 |  |",
        "| 1,000 |  | 0.250 / 0.100 |",
    ]
