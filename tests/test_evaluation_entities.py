"""The entity evaluation counts right, and the promised scores hold on hand-annotated filings."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from docintel.scoring import CannotScore
from ingestion import catalogue, linking
from training.evaluation import entities

pytestmark = pytest.mark.django_db

GOLD = Path(__file__).parent / "gold" / "entities.json"


@pytest.fixture
def companies() -> None:
    catalogue.load_default_once()
    linking._latest.clear()


def test_tokens_are_joined_as_people_write() -> None:
    text, spans = entities.joined(["Lyne", ",", "Inc.", "(", "Lyne", ")", "paid", "$", "3"])
    assert text == "Lyne, Inc. (Lyne) paid $3"
    assert [text[start:end] for start, end in spans][3:6] == ["(", "Lyne", ")"]


def test_a_small_set_is_scored(tmp_path: Path, companies: None) -> None:
    tokens = [
        "Marriott",
        "International",
        "paid",
        "$",
        "3",
        "million",
        "in",
        "May",
        "2019",
        "and",
        "the",
        "year",
        "before",
        ".",
    ]
    marked = [
        ("Company", 0, 2),
        ("Money", 3, 6),
        ("Date", 7, 9),
        ("Date", 10, 12),
        ("Action", 2, 3),
    ]
    rows = [{"type": kind, "start": start, "end": end} for kind, start, end in marked]
    (tmp_path / "fire_dev.json").write_text(json.dumps([{"tokens": tokens, "entities": rows}]))
    score = entities.run(tmp_path)
    exact = score.detail["exact"]
    assert exact["company"]["precision"] == exact["company"]["recall"] == 1
    assert exact["money"]["f1"] == 1
    assert (exact["date"]["precision"], exact["date"]["recall"]) == (1, 0.5)
    assert score.n == 4
    assert json.loads(score.json_line())["detail"]["exact"]["date"]["gold"] == 2


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    with pytest.raises(CannotScore, match="load_companies"):
        entities.run(tmp_path)


def test_real_filings_reach_the_promised_scores(data: Path, companies: None) -> None:
    score = entities.run(data / "financebench", gold=GOLD)
    exact = score.detail["exact"]
    assert exact["company"]["precision"] >= 0.85
    assert exact["company"]["recall"] >= 0.75
    for kind in ("money", "percent", "date", "period"):
        assert exact[kind]["precision"] >= 0.95, kind
        assert exact[kind]["recall"] >= 0.90, kind
    assert score.detail["linking"]["precision"] >= 0.95


def test_lists_of_subsidiaries_too(data: Path, companies: None) -> None:
    gold = GOLD.with_name("companies_held_out.json")
    exact = entities.run(data / "financebench", gold=gold).detail["exact"]["company"]
    assert exact["precision"] >= 0.85
    assert exact["recall"] >= 0.75
