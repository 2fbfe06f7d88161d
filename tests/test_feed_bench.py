"""The measurement of the feed, at a size where only its machinery is judged, never its times."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.conf import LazySettings
from django.conf import settings as django_settings
from django.db import connection

from benchmarks import feed
from benchmarks.filled_firm import NOTE, filled_firm, said
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
    assert detail["learned"]["trees"] > 0
    # All of a firm as small are among the newest.
    assert detail["learned"]["rows"] == detail["rows"]["FeedItem"]
    for name, each in detail["by_a_learned_ranker_ms"].items():
        assert (each["n"], each["n_errors"]) == (2, 0), (name, each)
    crowd = detail["at_once"]
    assert crowd["loading_ms"]["n"] == 3
    assert crowd["loading_ms"]["n_errors"] == crowd["scrolling_ms"]["n_errors"] == 0
    assert detail["ranking_a_document"]["analysts"] == 3
    assert json.loads(score.json_line())["n"] == 2


@pytest.fixture
def folder() -> Iterator[Path]:
    """Short enough a path for a socket, and open to the database's own user."""
    made = Path(tempfile.mkdtemp(prefix="docintel-kept-"))
    made.chmod(0o755)
    yield made / "firm"
    shutil.rmtree(made, ignore_errors=True)


def test_a_kept_firm_is_measured_again_without_being_filled(folder: Path) -> None:
    sizes = (300, 2, 200)
    with filled_firm(sizes, folder) as (environment, told):
        assert told["rows"]["FeedEvent"] == 200
        # As the application makes them: an index that filling forgot would be slow for ever.
        assert _indexes(environment["DATABASE_URL"]) == _indexes(settings_url())
        assert _shown(environment["DATABASE_URL"], "fsync") == "on"
        assert said(feed.RANK, environment, "ranked", 1)["analysts"] == 2
    with filled_firm(sizes, folder) as (environment, again):
        assert again == told
        assert said(feed.RANK, environment, "ranked", 1)["n"] == 1
        with psycopg.connect(environment["DATABASE_URL"]) as server:
            count = server.execute("SELECT count(*) FROM feed_feedevent").fetchone()
        assert count == (200,)
    with pytest.raises(CannotScore, match="300 documents"), filled_firm((1, 1, 1), folder):
        pass
    note = folder / NOTE
    note.write_text(note.read_text().replace('"length"', '"width"'))
    with pytest.raises(CannotScore, match="other features"), filled_firm(sizes, folder):
        pass
    other = folder.parent / "other"
    other.mkdir()
    (other / "mine").touch()
    with pytest.raises(CannotScore, match="something else"):
        feed.run(*sizes, keep=other)


def settings_url() -> str:
    return postgres.url(django_settings.VAR_DIR, connection.settings_dict["NAME"])


def _indexes(url: str) -> set[str]:
    with psycopg.connect(url) as server:
        rows = server.execute("SELECT indexname FROM pg_indexes WHERE schemaname = 'public'")
        return {str(row[0]) for row in rows}


def _shown(url: str, setting: str) -> str:
    with psycopg.connect(url) as server:
        [value] = server.execute(f"SHOW {setting}").fetchone() or [""]
        return str(value)


def test_nothing_cannot_be_measured() -> None:
    with pytest.raises(CannotScore):
        feed.run(documents=0)
