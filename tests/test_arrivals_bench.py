"""The measurement of arrivals, at a size where only its machinery is judged, never its times."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.db import connection

from benchmarks import arrivals, simulated_web
from docintel import postgres
from docintel.scoring import CannotScore

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_small_web_is_taken_in_whole(settings: LazySettings) -> None:
    settings.DATABASE_URL = postgres.url(settings.VAR_DIR, connection.settings_dict["NAME"])
    score = arrivals.run(documents=6, sources=6, seconds=0, changes=2)
    detail = score.detail
    assert (score.n, detail["not_searchable_at_the_end"]) == (6, 0)
    assert detail["of_the_odd_ones"]["failing"]["listed"] == 0
    assert detail["of_the_odd_ones"]["renaming"]["listed"] == 10
    for how in ("amended", "withdrawn"):
        assert detail["changes"][how]["not_done"] == 0
        assert detail["changes"][how]["searches"] > 0
    assert detail["changes"]["errors"] == []
    assert detail["quarantined"] == []
    assert detail["polls"]["polls"] >= 6
    assert json.loads(score.json_line())["detail"]["sources"] == 6


def test_a_plan_is_the_same_for_the_same_seed_and_holds_every_document_once() -> None:
    plan = arrivals.planned(50, 8, 100.0, 3)
    assert plan == arrivals.planned(50, 8, 100.0, 3)
    well = [each for each in plan["sources"].values() if each["behaviour"] in ("", "slow")]
    seeds = [entry["seed"] for each in well for entry in each["entries"]]
    assert sorted(seeds) == list(range(1, 51))
    with pytest.raises(CannotScore):
        arrivals.run(sources=4)


def test_what_is_not_searchable_at_the_end_flatters_nothing() -> None:
    entry = {"id": "a", "title": "", "seed": 1, "at": 5.0, "suffix": "html"}
    plan = {"sources": {"w": {"behaviour": "", "minutes": 1, "entries": [entry]}}}
    row = ["w", "a", 108.0, 110.0, 110.0, None, None, None, None, None, ""]
    lags, missing = arrivals._lags(plan, {"items": [row]}, clock=100.0, ended=200.0)
    assert missing == 1
    assert lags["arrival_to_searchable"] == [90.0]
    assert lags["listed_to_searchable"] == [92.0]
    assert lags["published_to_searchable"] == [95.0]
    lags, missing = arrivals._lags(plan, {"items": []}, clock=100.0, ended=200.0)
    assert (missing, lags["published_to_searchable"]) == (1, [95.0])
    asked = {"w": [90.0, 130.0]}
    late = arrivals._punctuality(plan, asked, clock=100.0, ended=300.0)
    assert late["later_than_twice_the_interval"] == 1


def test_a_feed_shows_what_is_published_and_says_when_nothing_is_new(tmp_path: Path) -> None:
    wire = simulated_web.Wire(arrivals.planned(30, 6, 0.0, 1))
    assert b"<item>" not in wire.answer("/wire005/feed", "")[2]
    wire.answer("/start", "")
    status, _, body, mark = wire.answer("/wire005/feed", "")
    assert status == 200
    assert b"<item>" in body
    assert wire.answer("/wire005/feed", mark)[0] == 304
    assert wire.answer("/wire001/feed", "")[0] == 500
    link = body.split(b"<link>")[1].split(b"</link>")[0].decode()
    assert len(wire.answer(link, "")[2]) > 1_000
