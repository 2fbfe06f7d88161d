"""The measurement of the feed, at a size where only its machinery is judged, never its times."""

from __future__ import annotations

import json

import pytest
from django.conf import LazySettings
from django.db import connection

from benchmarks import feed
from docintel import postgres
from docintel.scoring import CannotScore

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_small_firm_is_filled_read_and_crowded(settings: LazySettings) -> None:
    settings.DATABASE_URL = postgres.url(settings.VAR_DIR, connection.settings_dict["NAME"])
    score = feed.run(documents=1_500, analysts=3, events=900, n=2)
    detail = score.detail
    assert detail["rows"]["Document"] == 1_500
    assert detail["rows"]["FeedEvent"] == 900
    # Of the documents of sixty days one for each analyst.
    assert detail["rows"]["FeedItem"] == 3 * (1_500 * 60 // 1_826)
    for name, each in detail["one_by_one_ms"].items():
        assert each["n_errors"] == 0, (name, each)
        assert each["n"] == 2, name
    crowd = detail["at_once"]
    assert crowd["loading_ms"]["n"] == 3
    assert crowd["loading_ms"]["n_errors"] == crowd["scrolling_ms"]["n_errors"] == 0
    assert detail["ranking_a_document"]["analysts"] == 3
    assert json.loads(score.json_line())["n"] == 2


def test_nothing_cannot_be_measured() -> None:
    with pytest.raises(CannotScore):
        feed.run(documents=0)
