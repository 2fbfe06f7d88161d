"""`make`: prints its targets, and installing is said in one line when it cannot work."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from docintel import installing
from docintel.installing import CannotInstall, Step, reason

ROOT = Path(__file__).resolve().parent.parent


def make(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_make_alone_prints_its_targets() -> None:
    result = make()
    assert result.returncode == 0
    for target in ("demo", "serve", "doctor", "test", "check", "clean-data"):
        assert f"make {target} " in result.stdout


def test_without_a_new_enough_python_one_line_says_so(tmp_path: Path) -> None:
    for name in ("sh", "make"):
        (tmp_path / name).symlink_to(Path("/usr/bin") / name)
    result = make("doctor", PATH=str(tmp_path))
    assert result.returncode != 0
    assert "docintel: needs Python 3.11 or newer" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ("ERROR: Could not install packages: [Errno 28] No space left on device", "disk is full"),
        ("Retrying after NewConnectionError('<x>: …')\nERROR: No matching", "cannot be reached"),
        ("lots\nERROR: No matching distribution found for django==99", "django==99"),
        ("", "no reason given"),
    ],
)
def test_what_pip_says_becomes_one_line(output: str, words: str) -> None:
    assert words in reason(output)
    assert "\n" not in reason(output)


def test_a_step_is_repeated_when_its_input_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installing, "ROOT", tmp_path)
    monkeypatch.setattr(installing, "VENV", tmp_path)
    (tmp_path / "needs.txt").write_text("django==5.2")
    step = Step("needs", "what it needs", ("needs.txt",), ("-r", "needs.txt"))
    assert not step.is_done()
    step.stamp.write_text(step.digest)
    assert step.is_done()
    (tmp_path / "needs.txt").write_text("django==6.0")
    assert not step.is_done()


def test_a_full_disk_is_said_before_anything_is_downloaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pyproject.toml").write_text("")
    (tmp_path / "constraints.txt").write_text("")
    (tmp_path / "weights.txt").write_text("")
    monkeypatch.setattr(installing, "ROOT", tmp_path)
    monkeypatch.setattr(installing, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(installing, "make_venv", lambda: None)
    monkeypatch.setattr(installing, "FREE_GIGABYTES", 10**9)
    with pytest.raises(CannotInstall, match="disk is nearly full"):
        installing.install(dev=False)
