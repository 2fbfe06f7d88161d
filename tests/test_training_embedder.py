"""`train embedder`: a tuned encoder becomes a candidate that serves; a killed training goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import call_command
from safetensors.numpy import load_file

from docintel import artefacts, encoders, promoted_weights, weights
from docintel.models import ModelVersion
from docintel.scoring import CannotScore
from qa.ranking.windows import Asked
from tests.tiny_reports import tables
from tests.tiny_taggers import tiny_encoder
from training import runs
from training.learning import embedder
from training.learning.adapter_fitting import AdapterFitting
from training.learning.grouping_evidence import Grouped
from training.learning.reranker_reports import Piece
from training.models import TrainingRun

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def tiny(settings: Any, tmp_path: Path) -> ModelVersion:
    settings.MODELS_DIR, settings.MEDIA_ROOT = tmp_path / "models", tmp_path / "media"
    settings.VAR_DIR = tmp_path / "var"
    settings.EMBEDDING_MODEL = str(tiny_encoder(tmp_path / "tiny"))
    return encoders.live_embedder()


def test_a_tuned_encoder_is_a_candidate_that_can_serve(tiny, tmp_path) -> None:
    call_command("train", "embedder", tatqa=tables(tmp_path / "tatqa"), device="cpu", epochs=6.0)
    version = ModelVersion.objects.exclude(pk=tiny.pk).get(name="embedder")
    assert (version.state, version.dimensions) == ("candidate", 32)
    assert (version.base_encoder, version.base_digest) == ("tiny", tiny.digest)
    folder = artefacts.open_folder(version)
    assert version.digest == weights.sha256(folder / "model.safetensors")
    assert version.metadata["adapter"] == weights.sha256(folder / "adapter.safetensors")
    assert version.metadata["adapter"] in version.card
    assert "TAT-QA" in version.card
    assert version.metrics["tuned"]["mrr"] >= version.metrics["as it was"]["mrr"]
    source = promoted_weights.embedder_source(version)
    texts = ["net sales rose", "debt fell to 20"]
    tuned = encoders.embed_here(texts, source)
    assert np.allclose(np.linalg.norm(tuned, axis=1), 1, atol=1e-4)
    assert not np.allclose(tuned, encoders.embed(texts), atol=1e-3)
    assert encoders.live_embedder() == tiny
    row = TrainingRun.objects.get(name="embedder")
    assert (row.state, row.version, row.progress) == ("finished", version, 1.0)


def test_only_the_adapted_layers_of_the_encoder_change(tiny, tmp_path) -> None:
    call_command("train", "embedder", tatqa=tables(tmp_path / "tatqa"), device="cpu")
    version = ModelVersion.objects.exclude(pk=tiny.pk).get(name="embedder")
    before = load_file(tmp_path / "tiny" / "model.safetensors")
    after = load_file(artefacts.open_folder(version) / "model.safetensors")
    assert before.keys() == after.keys()
    changed = {name for name in before if not np.array_equal(before[name], after[name])}
    assert changed
    assert all(".layer.1." in name and name.endswith(".weight") for name in changed)


def test_a_killed_training_goes_on_where_it_was(tiny, tmp_path, monkeypatch) -> None:
    folder, seen = tables(tmp_path / "tatqa"), []
    learn = AdapterFitting._learn

    def spied(self: AdapterFitting, step: Any) -> float:
        seen.append((self.at, [question for question, _ in step]))
        if len(seen) == 4:
            self._save()
            raise KeyboardInterrupt
        return learn(self, step)

    monkeypatch.setattr(AdapterFitting, "_learn", spied)
    asked = {"tatqa": folder, "device": "cpu", "epochs": 3.0}
    with pytest.raises(KeyboardInterrupt):
        call_command("train", "embedder", **asked)
    assert not ModelVersion.objects.filter(name="embedder", state="candidate").exists()
    call_command("train", "embedder", **asked)
    assert [at for at, _ in seen[:5]] == [0, 1, 2, 3, 3]
    # The step that was not learned comes again, the same.
    assert seen[4] == seen[3]
    first, second = TrainingRun.objects.filter(name="embedder").order_by("pk")
    assert (first.state, second.state, second.resumed_from) == ("failed", "finished", first)


def test_without_questions_or_weights_there_is_nothing_to_learn(tiny, settings, tmp_path) -> None:
    with runs.opened("embedder") as run:
        with pytest.raises(CannotScore, match="at least one of --tatqa"):
            embedder.run(training_run=run)
        with pytest.raises(CannotScore, match="neither a known model"):
            embedder.run(training_run=run, encoder=str(tmp_path / "nowhere"))


def test_what_is_compared_is_the_unit_with_the_questions_words() -> None:
    text = "Net sales rose. Costs fell. Debt rose. The dividend was cut. Cash was low. Tax rose."
    asked = Asked("What became of the dividend?")
    assert embedder.best_unit(asked, text) == "Debt rose. The dividend was cut. Cash was low."
    assert embedder.best_unit(asked, "") == ""
    headed = Grouped(asked, [Piece("Calder Foods\n", text)], with_lead=True)
    assert embedder.texts_of(headed)[0].startswith("Calder Foods\nDebt rose.")
