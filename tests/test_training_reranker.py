"""`train reranker`: pauses and goes on, and leaves a candidate that serving can read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from docintel import promoted_weights
from docintel.models import ModelVersion
from tests.tiny_reports import tables
from tests.tiny_taggers import tiny_encoder
from training.learning import reranker
from training.learning.grouping_evidence import Grouped, as_asked
from training.learning.reranker_reports import Piece
from training.models import TrainingRun

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_paused_training_goes_on_and_leaves_a_candidate(settings: Any, tmp_path: Path) -> None:
    settings.MODELS_DIR, settings.MEDIA_ROOT = tmp_path / "models", tmp_path / "media"
    settings.VAR_DIR = tmp_path / "var"
    settings.EMBEDDING_MODEL = str(tiny_encoder(tmp_path / "tiny"))
    asked = {
        "tatqa": tables(tmp_path / "tatqa"), "encoder": str(tmp_path / "tiny"), "device": "cpu",
        "output": tmp_path / "out",
    }  # fmt: skip
    with pytest.raises(CommandError, match="stopped at step 1 of"):
        call_command("train", "reranker", seconds=0.0, **asked)
    assert not ModelVersion.objects.filter(name="reranker").exists()
    call_command("train", "reranker", **asked)
    version = ModelVersion.objects.get(name="reranker")
    assert version.state == "candidate"
    assert set(version.metrics) >= {"reranker", "bm25", "bi-encoder"}
    assert "TAT-QA" in version.card
    assert "| reranker |" in version.card
    served = promoted_weights.reranker_of(version)
    assert (served.encoder, served.digest) == ("tiny", version.digest)
    assert TrainingRun.objects.latest("pk").version == version


def test_a_piece_is_headed_by_company_and_period_or_not() -> None:
    piece = Piece("Calder Foods, annual report FY2022\nNotes\n", "Freight rose to 12.")
    asked = as_asked("What was freight?")
    headed, bare = (Grouped(asked, [piece], with_lead=lead) for lead in (True, False))
    assert reranker.as_windows(headed)[0].startswith("Calder Foods")
    assert reranker.as_windows(bare)[0].startswith("Notes")
