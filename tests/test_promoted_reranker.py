"""A cross-encoder that the gate promoted serves in place of the one that a setting names."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import small_reranker
from test_gates_of_rankers import filings

from docintel import artefacts, cross_encoding, promoted_weights, registry, rerankers
from docintel.inference.reranking import load_reranker
from docintel.inference.serving import Server
from docintel.models import ModelVersion
from training import promotion
from training.comparing import rerankers as comparing
from training.learning import reranker

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("equal_speed")]
QUERY, TEXTS = "What drove the margin?", ["Freight lowered it.", "The board thanked the staff."]


@pytest.fixture(autouse=True)
def by_lot(settings: Any, tmp_path: Path) -> None:
    """The setting names one that ranks at random."""
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.RERANKER_MODEL = str(small_reranker.write(tmp_path / "by-lot", tokens=128))


def candidate(folder: Path, source: Path) -> ModelVersion:
    """As `train reranker` leaves it: beside the artefact lies what it would resume by."""
    shutil.copytree(source, folder)
    (folder / "card.md").write_text("# A reranker\n")
    (folder / "checkpoint.pt").write_bytes(b"pickled")
    config = (folder / "config.json").read_text()
    if '"measures"' not in config:
        (folder / "config.json").write_text(config[:-1] + ', "measures": {}}')
    return reranker.keep(folder)


def test_a_training_leaves_a_candidate_without_its_checkpoint(tmp_path) -> None:
    kept = candidate(tmp_path / "made", rerankers.BUNDLED)
    assert (kept.name, kept.state) == ("reranker", "candidate")
    assert set(kept.files) == {"adapter.safetensors", "config.json", "card.md"}
    assert promoted_weights.reranker_of(kept).digest == kept.digest


def test_the_gate_reads_with_both_on_companies_that_are_held_out(tmp_path, monkeypatch) -> None:
    filings(monkeypatch, held_out=True)
    monkeypatch.setattr(comparing, "MOST", 40)
    before = cross_encoding.rerank(QUERY, TEXTS)
    better = candidate(tmp_path / "made", rerankers.BUNDLED)
    verdict = promotion.judge(better)
    assert verdict.outcome == "promoted", verdict.why
    assert verdict.live is not None
    assert verdict.live.digest == rerankers.describe().digest
    assert verdict.report["measure"] == "NDCG@10 of what is read"
    # The next question is read by it, without a restart.
    assert promoted_weights.live_reranker().digest == better.digest
    assert cross_encoding.rerank(QUERY, TEXTS).tolist() != before.tolist()
    registry.roll_back("reranker", who="eve", why="a look")
    assert cross_encoding.rerank(QUERY, TEXTS).tolist() == before.tolist()


def test_what_was_promoted_serves_until_the_setting_names_another(settings, tmp_path) -> None:
    named = cross_encoding.live_reranker()
    promoted = candidate(tmp_path / "made", rerankers.BUNDLED)
    registry.make_live(promoted, who="eve")
    assert cross_encoding.live_reranker() == promoted
    settings.RERANKER_MODEL = str(small_reranker.write(tmp_path / "other", seed=5))
    other = cross_encoding.live_reranker()
    assert other not in {named, promoted}
    assert promoted_weights.live_reranker().digest == other.digest
    damaged = candidate(tmp_path / "again", rerankers.BUNDLED)
    registry.make_live(damaged, who="eve")
    (artefacts.open_folder(damaged) / "config.json").write_text("{}")
    with pytest.raises(cross_encoding.RerankerUnavailable, match="not what was kept"):
        cross_encoding.rerank(QUERY, TEXTS)


@pytest.mark.django_db(transaction=True)
def test_the_inference_role_takes_it_in_for_who_asks_for_it(tmp_path) -> None:
    cross_encoding.live_reranker()
    served = Server()
    served.reranker = load_reranker()
    promoted = candidate(tmp_path / "made", rerankers.BUNDLED)
    served.load_promoted_reranker(promoted.digest).join()
    assert served.reranker.weights.name == "by-lot"
    registry.make_live(promoted, who="eve")
    other = Server()
    other.reranker = served.reranker
    other.load_promoted_reranker(promoted.digest).join()
    assert other.reranker is not None
    assert other.reranker.weights.digest == promoted.digest
    other.reranker.stop()
