"""The ranker scores as LightGBM does, refuses what it cannot read, and never loads LightGBM."""

from __future__ import annotations

import numpy as np
import pytest
from fresh_process import loaded

from docintel import lightgbm_text, registry
from docintel.lightgbm_text import BadTrees
from docintel.models import ModelVersion
from qa.ml import ranker
from qa.ranking import reranking
from qa.ranking.ranking_features import (
    Candidate,
    Filing,
    Pool,
    Question,
    Scores,
    add_best_coverage,
    features,
)
from qa.ranking.relative_features import ABSOLUTE, add_relative
from qa.ranking.unit_features import compare_units_of_all, of_units

NAMES = ["a", "b", "c"]


def trained() -> tuple[str, object, np.ndarray]:
    """A small model over three features with holes in them, and rows to score."""
    import lightgbm

    chance = np.random.default_rng(3)
    table = chance.normal(size=(400, 3))
    table[chance.random(table.shape) < 0.2] = np.nan
    # A column without holes is split without a way for unknown values.
    table[:, 2] = np.nan_to_num(table[:, 2]) + chance.normal(size=400) * 1e-3
    grades = (np.nan_to_num(table[:, 0], nan=0.7) + table[:, 2] > 0.5).astype(int)
    data = lightgbm.Dataset(table, grades, group=[20] * 20, feature_name=NAMES)
    settings = {"objective": "lambdarank", "verbosity": -1, "min_data_in_leaf": 5, "num_leaves": 9}
    model = lightgbm.train(settings, data, 20)
    rows = chance.normal(size=(60, 3))
    rows[chance.random(rows.shape) < 0.4] = np.nan
    rows[0] = 0.0
    return model.model_to_string(), model, rows


def test_scores_are_those_of_lightgbm() -> None:
    text, model, rows = trained()
    mine = lightgbm_text.read(text).predict(rows)
    assert mine == pytest.approx(model.predict(rows), abs=1e-9)  # type: ignore[attr-defined]


def test_contributions_sum_to_the_score() -> None:
    text, model, rows = trained()
    parts = lightgbm_text.read(text).contributions(rows)
    assert parts.shape == (60, 4)
    assert parts.sum(axis=1) == pytest.approx(model.predict(rows), abs=1e-6)  # type: ignore[attr-defined]


def test_a_feature_that_no_tree_splits_on_adds_nothing() -> None:
    import lightgbm

    chance = np.random.default_rng(1)
    table = np.column_stack([chance.normal(size=300), np.ones(300)])
    data = lightgbm.Dataset(table, table[:, 0] * 2, feature_name=["tells", "constant"])
    model = lightgbm.train({"objective": "regression", "verbosity": -1}, data, 10)
    parts = lightgbm_text.read(model.model_to_string()).contributions(table[:20])
    assert not parts[:, 1].any()
    assert parts[:, 0].any()


def test_a_feature_that_a_row_lacks_is_unknown() -> None:
    text, model, _ = trained()
    scored = lightgbm_text.read(text).score([{"a": 0.4, "c": -1.0, "of no model": 9.0}])
    expected = model.predict([[0.4, np.nan, -1.0]])  # type: ignore[attr-defined]
    assert scored == pytest.approx(list(expected))
    assert lightgbm_text.read(text).score([]) == []


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: "",
        lambda text: text.split("\nTree=")[0],
        lambda text: text.replace("feature_names=a b c", "feature_names=a"),
        lambda text: text.replace("leaf_value=", "leaf_value=nan "),
        lambda text: text.replace("decision_type=", "decision_type=1 "),
        lambda text: text.replace("left_child=", "left_child=0 "),
        lambda text: text.replace("threshold=", "threshold=x "),
    ],
)
def test_a_spoilt_model_is_refused(spoil: object) -> None:
    text, _, _ = trained()
    with pytest.raises(BadTrees):
        lightgbm_text.read(spoil(text))  # type: ignore[operator]


@pytest.mark.django_db
def test_a_registered_ranker_serves_and_a_spoilt_one_leaves_the_bundled() -> None:
    text, _, _ = trained()
    for bad, weight in (("nothing", 0.2), (text, -1.0), (text, float("nan"))):
        with pytest.raises(BadTrees):
            reranking.keep(bad, "bad", "0", cross_weight=weight)
    assert not ModelVersion.objects.filter(name="ranker").exists()
    assert "as bundled" in reranking.live_reranker().name
    kept = reranking.keep(text, "mine", "1", cross_weight=0.4)
    assert "as bundled" in reranking.live_reranker().name
    registry.make_live(kept)
    live = reranking.live_reranker()
    assert live.name.startswith("LightGBM mine")
    assert live.cross_weight == 0.4
    assert "stand-in" in reranking.named(live, read=False)
    versions = ModelVersion.objects.filter(name="ranker")
    versions.update(metadata={"model": "spoilt"}, digest="2")
    assert "as bundled" in reranking.live_reranker().name
    versions.update(metadata={"model": text, "cross_weight": "much"}, digest="3")
    assert "as bundled" in reranking.live_reranker().name


@pytest.mark.django_db
def test_a_ranker_without_a_weight_of_its_own_has_the_bundled_one() -> None:
    text, _, _ = trained()
    kept = reranking.keep(text, "of before", "4")
    assert reranking.ranker_of(kept).cross_weight == ranker.bundled_weight() > 0
    assert reranking.ranker_of(None).cross_weight == ranker.bundled_weight()


def test_the_bundled_ranker_knows_every_feature_and_no_other() -> None:
    question = Question("capital expenditure", years=(2022,), companies=(1,))
    filing = Filing(1, "annual_report", 2022, None, None, 0.5)
    candidate = Candidate(
        "Purchases of plant 12", "Cash flows", "cash_flow", 9, 0.5, filing,
        Scores(1.0, 1.0, 0.5, 0.5, 0.03),
    )  # fmt: skip
    pool = Pool(1.0, 1.0, 0.5, 0.5, 0.03, 2022)
    made = features(question, candidate, pool, of_document=(0.03, 1.0))
    add_best_coverage([made])
    cosines, spans = np.array([0.5], dtype=np.float32), ((0, 22),)
    made |= of_units(cosines, spans, candidate.text, 0, question.words)
    compare_units_of_all([made])
    add_relative([made])
    assert set(ranker.bundled().names) == set(made) - ABSOLUTE


def test_ranking_loads_no_lightgbm() -> None:
    code = "from qa.ml import ranker; ranker.bundled().score([{'bm25': 1.0}])"
    assert loaded(code, ("lightgbm", "sklearn", "torch")) == []
