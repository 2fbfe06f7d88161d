"""Rankers, the judge of "not found" and the feed pass the gate on what no training learns from."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import lightgbm
import numpy as np
import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from feed_corpus import known
from reports_corpus import embedder_of_axes, report
from test_feed_training import TELLS, shown

from docintel import artefacts, encoders, registry
from docintel.models import ModelVersion
from feed import live_ranker
from feed.ml.features import NAMES
from feed.models import FeedEvent
from ingestion import reembedding
from ingestion.lexical import refresh_statistics
from ingestion.models import Reembedding
from qa import answerable
from qa.ml import answerable as numbers
from qa.ranking import reranking
from tests.tiny_taggers import tiny_encoder
from training import promotion
from training.answerable_questions import is_held_out, shortened
from training.comparing import answerable as judges
from training.comparing import embedders
from training.comparing.comparison import CannotCompare
from training.learning import feed, ranker_candidates

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("equal_speed")]
TOWNS = ("Halden", "Tidewater", "Corvane", "Brimley", "Ostrava", "Fenwick", "Calder", "Merrow")
TRADES = ("Mills", "Foods", "Optics", "Paper")
ROWS = "Net sales 1,200 1,100\nFreight and handling 80 75\nCost of goods sold (410) (380)"


def trees(feature: str, sign: int) -> str:
    """A ranker by one feature, the more the better or the worse."""
    values = np.linspace(-2, 2, 400)
    data = lightgbm.Dataset(values[:, None], sign * values, feature_name=[feature])
    made = lightgbm.train({"objective": "regression", "verbosity": -1}, data, 20)
    return str(made.model_to_string())


def filings(monkeypatch: pytest.MonkeyPatch, *, held_out: bool, count: int = 9) -> None:
    """Annual reports with a table, of so many companies on one side of the split."""
    row = embedder_of_axes(monkeypatch)
    names = [f"{town} {trade}" for town in TOWNS for trade in TRADES]
    chosen = [name for name in names if is_held_out(shortened(name)) is held_out][:count]
    assert len(chosen) == count
    for name in chosen:
        spans, at = [], 0
        for line in ROWS.splitlines():
            spans.append((at, at + len(line)))
            at += len(line) + 1
        table = {"start": 0, "end": len(ROWS), "caption": "", "heads": "2022 2021", "scale": ""}
        report(name, 2022, ROWS, embedder=row, tables=[{**table, "rows": spans}])
    refresh_statistics()


def test_a_ranker_is_compared_on_companies_that_are_held_out(monkeypatch) -> None:
    filings(monkeypatch, held_out=True)
    assert ranker_candidates.collect(50) == []
    good = reranking.keep(trees("word_coverage", 1), "good", "1")
    bad = reranking.keep(trees("word_coverage", -1), "bad", "2")
    registry.make_live(bad)
    verdict = promotion.judge(good)
    assert (verdict.outcome, verdict.live) == ("promoted", bad)
    assert verdict.report["documents"] == 9
    assert verdict.report["measure"] == "NDCG@10 of passages"
    assert reranking.live_reranker().name == "LightGBM good"
    assert promotion.judge(reranking.keep(trees("word_coverage", -1), "worse", "3")).outcome == (
        "rejected"
    )


def test_a_ranker_learns_from_no_company_that_is_held_out(monkeypatch) -> None:
    filings(monkeypatch, held_out=False)
    assert {group.mined.company for group in ranker_candidates.collect(50)}
    candidate = reranking.keep(trees("word_coverage", 1), "good", "1")
    with pytest.raises(CannotCompare, match="0 held-out documents"):
        promotion.judge(candidate)
    candidate.refresh_from_db()
    assert candidate.state == "candidate"


def judged_rows(path: Path, count: int = 60) -> Path:
    """Questions of twelve companies, every other one with an answer that words tell."""
    blank = dict.fromkeys(numbers.FEATURES, 0.0)
    rows = []
    for number in range(2 * count):
        found = number % 2 == 0
        made = {
            "text": f"Question {number}?", "answerable": found, "held_out": number < count,
            "kind": "answerable" if found else "metric", "company": f"Company {number % 12}",
            "held_out_family": False,
        }  # fmt: skip
        features = blank | {"coverage_unit": float(found), "unit_words": 0.9 if found else 0.2}
        rows.append(
            json.dumps({"made": made, "features": features, "embedder": "all-MiniLM-L6-v2"})
        )
    path.write_text("\n".join(rows))
    return path


def judging(least: float, version: str) -> ModelVersion:
    """A judge by one number, which refuses below this probability."""
    weights = [4.0 if name == "unit_words" else 0.0 for name in numbers.FEATURES]
    model = numbers.Model(
        np.array(weights), np.full(len(weights), 0.5), np.ones(len(weights)), 0.0, least, 0.0
    )
    told = numbers.as_json({numbers.WITHOUT_COSINES: model})
    return answerable.keep(told, version, version.ljust(64, "0"))


def test_the_judge_of_not_found_is_compared_by_both_halves(tmp_path) -> None:
    rows = judged_rows(tmp_path / "rows.jsonl")
    blind, seeing = judging(0.0, "blind"), judging(0.5, "seeing")
    registry.make_live(blind)
    verdict = promotion.judge(seeing, folder=rows)
    assert verdict.outcome == "promoted"
    primary = next(c for c in verdict.report["checks"] if c["name"] == "primary")
    assert (primary["live"], primary["candidate"]) == (0.5, 1.0)
    assert verdict.report["detail"]["questions"] == 60
    strict = promotion.judge(judging(0.99, "strict"), folder=rows)
    assert strict.outcome == "rejected"
    assert "answerable 1.000 to 0.000 (n=30)" in strict.why
    with pytest.raises(CannotCompare, match="cannot read"):
        judges.compare(seeing, None, tmp_path / "none.jsonl")


def feeds(text: str, folder: Path) -> ModelVersion:
    folder.mkdir()
    (folder / live_ranker.FILE).write_text(text)
    return artefacts.keep(folder, "feed", metadata={"half_life_days": 4.0})


def read_by(user: User, made: Any, documents: list[Any], queries: int) -> list[FeedEvent]:
    """What this analyst was shown and opened, from three hours ago back."""
    rows, first = [], 20 * queries * (user.pk % 5)
    for query in range(queries):
        page, at = uuid4(), timezone.now() - timedelta(hours=3 + query)
        for place in range(20):
            row = first + 20 * query + place
            of = {
                "user": user, "document": documents[place], "page": page, "occurred_at": at,
                "received_at": at, "position": place + 1, "exploring": bool(made.exploring[row]),
            }  # fmt: skip
            features = [float(value) for value in made.features[row]]
            rows.append(FeedEvent(client_id=uuid4(), verb="impression", features=features, **of))
            if made.opened[row]:
                rows.append(FeedEvent(client_id=uuid4(), verb="dwell", active_ms=60_000, **of))
    return rows


def feed_trees(sign: int) -> str:
    table = np.random.default_rng(5).random((600, len(NAMES)))
    data = lightgbm.Dataset(table, sign * table[:, TELLS], feature_name=list(NAMES))
    made = lightgbm.train({"objective": "regression", "verbosity": -1, "num_leaves": 8}, data, 40)
    return str(made.model_to_string())


def test_the_feed_is_compared_on_analysts_that_are_held_out(settings, tmp_path) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"
    people = [User.objects.create(username=f"analyst {n}") for n in range(80)]
    held = [each for each in people if feed.is_held_out(each.pk)]
    others = [each for each in people if not feed.is_held_out(each.pk)]
    documents = [known(f"Story {n}") for n in range(20)]
    made = shown(40)
    rows = [row for each in held[:9] for row in read_by(each, made, documents, 8)]
    FeedEvent.objects.bulk_create(rows + read_by(others[0], made, documents, 8))
    good, bad = feeds(feed_trees(1), tmp_path / "good"), feeds(feed_trees(-1), tmp_path / "bad")
    registry.make_live(bad)
    verdict = promotion.judge(good)
    assert (verdict.outcome, verdict.report["documents"]) == ("promoted", len(held[:9]))
    assert verdict.report["measure"] == "NDCG@10 of readings, by propensity"
    learned = feed.shown_since(timezone.now() - timedelta(days=90))
    assert learned is not None
    assert set(learned.analyst.tolist()) == {others[0].pk}
    again = feeds(feed_trees(-1), tmp_path / "again")
    assert promotion.judge(again).outcome == "rejected"


def embedders_of_the_test(settings: Any, place: Path) -> tuple[ModelVersion, ModelVersion]:
    """The live one, which the setting names, and a candidate with other weights."""
    settings.MODELS_DIR, settings.MEDIA_ROOT = place / "models", place / "media"
    settings.EMBEDDING_MODEL = str(tiny_encoder(place / "blue", seed=1))
    live = encoders.live_embedder()
    return live, reembedding.candidate(str(tiny_encoder(place / "green", seed=2)))


def test_an_embedder_that_passes_is_made_vectors_first(settings, tmp_path, monkeypatch) -> None:
    with monkeypatch.context() as patch:
        filings(patch, held_out=True)
        groups = ranker_candidates.collect(40, held_out=True)
    ModelVersion.objects.filter(name="embedder").update(state="retired")
    live, candidate = embedders_of_the_test(settings, tmp_path)
    monkeypatch.setattr(embedders, "collect", lambda *_, **__: groups)
    compared = embedders.compare(candidate, live)
    assert compared.documents == len({group.mined.document for group in groups})
    assert compared.live is not None
    assert len(compared.candidate.seconds) == len(compared.live.seconds) == 15
    # By weights drawn by lot neither is better; so say that it is.
    better = replace(compared, candidate=replace(compared.live, primary=lambda _: 1.0))
    with pytest.raises(CannotCompare, match="too few"):
        promotion.settle(candidate, live, replace(better, documents=3))
    verdict = promotion.settle(candidate, live, better)
    assert verdict.outcome == "promoted"
    row = Reembedding.objects.get()
    assert (row.embedder, row.before, row.state) == (candidate, live, "making")
    assert encoders.live_embedder() == live
    again = reembedding.candidate(str(tiny_encoder(tmp_path / "red", seed=3)))
    with pytest.raises(CannotCompare, match="is under way"):
        promotion.settle(again, live, better)
    assert not again.verdicts.exists()
