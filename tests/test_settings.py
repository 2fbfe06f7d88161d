"""Settings come from the environment; production refuses what is only fit for one machine."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
KEY = "k" * 50


def start(**environment: str) -> subprocess.CompletedProcess[str]:
    """Read the settings in a process of their own."""
    code = "from django.conf import settings; print(settings.DEBUG, settings.SECRET_KEY)"
    clean = {k: v for k, v in os.environ.items() if k not in ("SECRET_KEY", "DEBUG")}
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**clean, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"SECRET_KEY": KEY, "DEBUG": "true"}, "DEBUG is on"),
        ({}, "production needs SECRET_KEY"),
        ({"SECRET_KEY": "short"}, "production needs SECRET_KEY"),
    ],
)
def test_production_refuses(environment: dict[str, str], words: str) -> None:
    result = start(DOCINTEL_ENV="production", **environment)
    assert result.returncode != 0
    assert words in result.stderr


def test_production_starts_with_a_key_of_its_own() -> None:
    result = start(DOCINTEL_ENV="production", SECRET_KEY=KEY)
    assert result.stdout.split() == ["False", KEY]


def test_on_one_machine_the_key_is_made_once_and_kept_private(tmp_path: Path) -> None:
    first = start(DOCINTEL_VAR=str(tmp_path))
    second = start(DOCINTEL_VAR=str(tmp_path))
    assert first.returncode == 0, first.stderr
    assert first.stdout == second.stdout
    assert len(first.stdout.split()[1]) == 64
    path = tmp_path / "secrets" / "secret_key"
    assert path.stat().st_mode & 0o077 == 0
    assert list(path.parent.iterdir()) == [path]


def test_a_command_refused_by_the_settings_ends_with_one_line() -> None:
    result = subprocess.run(
        [sys.executable, "manage.py", "serve"],
        cwd=ROOT,
        env={**os.environ, "DOCINTEL_ENV": "production", "SECRET_KEY": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1
    assert len(result.stderr.strip().splitlines()) == 1
    assert result.stderr.startswith("docintel: production needs SECRET_KEY")


@pytest.mark.parametrize("name", ["LLM_SMALL_ROLE", "LLM_LARGE_ROLE"])
def test_a_model_has_one_of_two_roles(name: str) -> None:
    result = start(**{name: "sings"})
    assert result.returncode != 0
    assert f"{name} is 'sings'; it must be writes or chooses" in result.stderr
    assert start(**{name: "chooses"}).returncode == 0
