"""No file can hang, crash, exhaust or read the process that asked for its text."""

from __future__ import annotations

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest
from reportlab.pdfgen.canvas import Canvas

from ingestion.parsing import Parsed, ParserFailed, Unreadable, isolation
from tests.waiting import until

ROOT = Path(__file__).resolve().parent.parent


def parse(path: Path, name: str = "", **limits: Any) -> Parsed:
    limits = {"seconds": 60, "memory_mb": 2048, "max_characters": 20_000_000, **limits}
    return isolation.parse(path, name or path.name, **limits)


def instead(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """The child runs this code instead of the parser."""
    monkeypatch.setattr(isolation, "_COMMAND", (sys.executable, "-c", code))


@pytest.fixture
def note(tmp_path: Path) -> Path:
    path = tmp_path / "note.txt"
    path.write_text("Margins fell in the second quarter.")
    return path


@pytest.fixture
def letter(tmp_path: Path) -> Path:
    canvas = Canvas(str(tmp_path / "letter.pdf"))
    canvas.drawString(72, 720, "A letter to shareholders")
    canvas.save()
    return tmp_path / "letter.pdf"


def test_every_format_comes_back_whole(note: Path, letter: Path, tmp_path: Path) -> None:
    parsed = parse(note)
    assert parsed.text == "Margins fell in the second quarter."
    assert parsed.media_type == "text/plain"
    assert parse(letter).text == "A letter to shareholders"
    page = tmp_path / "page.html"
    page.write_text("<h1>Outlook</h1><p>𠮷 שלום</p>")
    parsed = parse(page)
    assert parsed.text == "Outlook\n\n𠮷 שלום"
    assert parsed.sections == [{"title": "Outlook", "level": 1, "start": 0}]


def test_a_wrong_name_is_noted_and_does_no_harm(letter: Path) -> None:
    parsed = parse(letter, "../../etc/passwd.html")
    assert parsed.text == "A letter to shareholders"
    assert parsed.notes == ["Its name says text/html, its content is application/pdf."]


def test_reasons_reach_the_caller(tmp_path: Path) -> None:
    empty = tmp_path / "empty.pdf"
    empty.write_bytes(b"")
    with pytest.raises(Unreadable, match="empty"):
        parse(empty)


def test_a_file_that_is_gone_is_a_failure(tmp_path: Path) -> None:
    with pytest.raises(ParserFailed, match="FileNotFoundError"):
        parse(tmp_path / "missing.pdf")


def test_a_child_that_waits_for_ever_is_stopped(tmp_path: Path) -> None:
    """Opening a pipe that nobody writes to never returns."""
    os.mkfifo(tmp_path / "pipe.txt")
    with pytest.raises(ParserFailed, match="longer than 1 seconds"):
        parse(tmp_path / "pipe.txt", seconds=1)


def test_a_child_that_computes_for_ever_is_stopped_with_its_own_children(
    monkeypatch: pytest.MonkeyPatch, note: Path, tmp_path: Path
) -> None:
    pid_file = tmp_path / "pid"
    instead(
        monkeypatch,
        "import os\n"
        "pid = os.fork()\n"
        f"if pid: open({str(pid_file)!r}, 'w').write(str(pid))\n"
        "while True: pass",
    )
    with pytest.raises(ParserFailed, match="longer than"):
        parse(note, seconds=10)
    # Once killed it is gone, or left to whoever adopts it to be counted as dead.
    grandchild = int(pid_file.read_text())
    until(lambda: not running(grandchild), "the grandchild is gone")


def running(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_too_little_memory_is_a_failure_in_words(tmp_path: Path) -> None:
    path = tmp_path / "long.txt"
    path.write_bytes(b"words and words " * 3_000_000)
    with pytest.raises(ParserFailed, match="out of memory"):
        parse(path, memory_mb=150, max_characters=100_000_000)


def test_a_long_text_within_its_limits_is_read(tmp_path: Path) -> None:
    path = tmp_path / "long.txt"
    path.write_bytes(b"words and words " * 3_000_000)
    assert len(parse(path, max_characters=60_000_000).text) == 48_000_000
    with pytest.raises(Unreadable, match="too long"):
        parse(path)


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import os; os.abort()", "crashed .SIGABRT"),
        ("import ctypes; ctypes.string_at(0)", "crashed .SIGSEGV"),
        ("raise SystemExit('no luck')", "without an answer: no luck"),
        ("print('no answer')", "without an answer"),
        ("print('{\"text\": 1}')", "without an answer"),
    ],
)
def test_a_crash_is_a_failure_in_words(
    monkeypatch: pytest.MonkeyPatch, note: Path, code: str, reason: str
) -> None:
    instead(monkeypatch, code)
    with pytest.raises(ParserFailed, match=reason):
        parse(note)


def test_the_child_knows_no_secret(monkeypatch: pytest.MonkeyPatch, note: Path) -> None:
    monkeypatch.setenv("SECRET_KEY", "hush")
    monkeypatch.setenv("DATABASE_URL", "postgres://hush")
    instead(
        monkeypatch,
        "import json, os\nprint(json.dumps({'ok': {'text': json.dumps(dict(os.environ)),"
        " 'media_type': 'text/plain'}}))",
    )
    environment = parse(note).text
    assert "hush" not in environment
    assert "PATH" in environment


def test_what_native_code_prints_is_not_part_of_the_answer(
    monkeypatch: pytest.MonkeyPatch, note: Path
) -> None:
    instead(
        monkeypatch,
        "import os\nfrom ingestion.parsing import child, text\nreal = text.parse\n"
        "def noisy(*args):\n    os.write(1, b'noise')\n    return real(*args)\n"
        "text.parse = noisy\nchild.main()",
    )
    assert parse(note).text == "Margins fell in the second quarter."


def test_an_answer_without_end_is_cut_by_its_limit(
    monkeypatch: pytest.MonkeyPatch, note: Path
) -> None:
    instead(
        monkeypatch,
        "import sys\nfrom ingestion.parsing import child\n"
        "child._limit(20, 1000, 1_000_000)\n"
        "while True: sys.stdout.write('x' * 100_000)",
    )
    with pytest.raises(ParserFailed):
        parse(note, seconds=20)


def test_a_child_loads_only_what_its_file_needs_and_never_django(note: Path) -> None:
    import subprocess

    code = (
        "import sys, json\nfrom ingestion.parsing import child\n"
        f"child._parse({{'path': {str(note)!r}, 'file_name': 'a.txt', 'max_characters': 1000}})\n"
        "print(sorted({'django', 'lxml', 'pypdfium2', 'docx', 'PIL'} & set(sys.modules)))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"


@pytest.mark.data
def test_every_messy_file_is_read_or_refused_with_a_reason(data: Path) -> None:
    paths = sorted([*(data / "messy_pdfs").glob("*.pdf"), *(data / "filings_html").glob("*.htm*")])
    assert len(paths) > 100

    def outcome(path: Path) -> str:
        try:
            parsed = parse(path)
        except Unreadable as error:
            return f"unreadable: {error}"
        assert parsed.text.strip()
        assert "\0" not in parsed.text
        parsed.text.encode("utf-8")
        assert parsed.pages == sorted(parsed.pages)
        assert all(0 <= s["start"] < len(parsed.text) for s in parsed.sections)
        return "read"

    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(outcome, paths))
    assert outcomes.count("read") > 80
    reasons = [outcome for outcome in outcomes if outcome != "read"]
    assert len(reasons) > 20
    assert all(len(reason) > len("unreadable: ") + 15 for reason in reasons)
