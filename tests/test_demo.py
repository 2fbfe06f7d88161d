"""The demo: a person's folder goes through the real pipeline, with progress and without a flood."""

from __future__ import annotations

import io
import os
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from rich.console import Console

from docintel.accounts import create_people
from docintel.groups import PERMISSIONS
from docintel.holding import free_port
from ingestion import loading
from ingestion.showing_progress import Display, in_words, is_complete, is_searchable
from tests.waiting import ENOUGH_SECONDS, until

ROOT = Path(__file__).resolve().parent.parent
COUNTS: dict[str, Any] = {
    "total": 5,
    "received": 0,
    "parsed": 3,
    "searchable": 3,
    "recognised": 2,
    "with_units": 2,
    "duplicate": 1,
    "quarantined": 1,
    "retrying": 0,
    "chunks_total": 10,
    "chunks_embedded": 4,
    "seconds_left": 300.0,
}


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="docintel-demo-") as name:
        place = Path(name)
        place.chmod(place.stat().st_mode | stat.S_IXOTH | stat.S_IROTH)
        yield place


def demo(folder: Path, *arguments: str, **options: Any) -> subprocess.Popen[str]:
    environment = {
        **os.environ,
        "DOCINTEL_VAR": str(folder / "var"),
        "EMBEDDING_MODEL": "all-MiniLM-L6-v2",
    }
    return subprocess.Popen(
        [sys.executable, "manage.py", "demo", "--port", str(free_port()), *arguments],
        cwd=ROOT,
        env=environment,
        text=True,
        **options,
    )


def test_a_folder_becomes_searchable_and_ctrl_c_keeps_it(folder: Path) -> None:
    documents = folder / "filings"
    documents.mkdir()
    text = "Gross margin fell because freight and steel cost more than a year ago. " * 20
    (documents / "note.txt").write_text(text)
    log = folder / "demo.log"
    with log.open("w") as output:
        run = demo(folder, "--docs", str(documents), stdout=output, stderr=subprocess.STDOUT)
    ready = "by keywords and by meaning"
    until(lambda: ready in log.read_text() or run.poll() is not None, "all was searchable")
    assert run.poll() is None, log.read_text()
    run.send_signal(signal.SIGINT)

    assert run.wait(timeout=ENOUGH_SECONDS) == 0
    said = log.read_text()
    assert "1 received: 1 parsed, 1 searchable" in said
    assert "Ready: http://127.0.0.1:" in said
    assert "analyst" in said
    assert "Stopped; what was loaded is kept." in said
    assert "Traceback" not in said
    assert len(said.splitlines()) < 40


@pytest.mark.parametrize(
    ("name", "words"), [("missing", "is not a folder"), ("empty", "holds no PDF")]
)
def test_a_folder_that_cannot_be_loaded_is_one_line(folder: Path, name: str, words: str) -> None:
    (folder / "empty").mkdir()
    run = demo(folder, "--docs", str(folder / name), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    _, said = run.communicate(timeout=ENOUGH_SECONDS)
    assert run.returncode == 1
    assert words in said
    assert len(said.strip().splitlines()) == 1


@pytest.mark.django_db
def test_people_are_made_once_each_in_their_group() -> None:
    created = create_people()
    assert set(created) == set(PERMISSIONS)
    for name, password in created.items():
        user = User.objects.get(username=name)
        assert user.check_password(password)
        assert [group.name for group in user.groups.all()] == [name]
        assert not user.is_superuser
    assert create_people() == {}


def test_a_log_gets_few_lines() -> None:
    output = io.StringIO()
    display = Display(Console(file=output, force_terminal=False, width=200))
    with display.bars():
        for embedded in range(11):
            display.update({**COUNTS, "chunks_embedded": embedded})
    lines = output.getvalue().splitlines()
    assert len(lines) == 2
    assert "0 of 10 vectors" in lines[0]
    assert lines[0].endswith("about 5 min left")
    assert "10 of 10 vectors" in lines[1]


def test_bars_are_drawn_on_a_terminal() -> None:
    output = io.StringIO()
    display = Display(Console(file=output, force_terminal=True, width=100))
    with display.bars():
        display.update(COUNTS)
    for words in ("Parsed", "Searchable", "Vectors", "4/10", "about 5 min left", "1 quarantined"):
        assert words in output.getvalue()


def test_a_document_to_be_tried_again_holds_nobody_up() -> None:
    assert is_searchable({**COUNTS, "received": 1, "retrying": 1})
    assert not is_searchable({**COUNTS, "received": 1})
    assert not is_complete(COUNTS)
    assert is_complete({**COUNTS, "chunks_embedded": 10})


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(None, ""), (0.2, "about 1 s left"), (600, "about 10 min left"), (9000, "about 2.5 h left")],
)
def test_time_left_is_rough(seconds: float | None, words: str) -> None:
    assert in_words(seconds) == words


def test_the_examples_are_answerable_questions_of_different_types() -> None:
    found = loading.examples(3)
    assert len(set(found)) == 3
    assert all(question.endswith("?") for question in found)
