"""The local language model: installed or said to be missing; served under a key, on loopback."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import httpx
import pytest
from django.conf import settings

from docintel import local_llm
from docintel.holding import HOST, CannotServe, free_port
from docintel.local_llm import LocalModelUnavailable
from docintel.serving_options import Serving
from docintel.supervising import running
from tests.test_serve import until
from tests.waiting import ENOUGH_SECONDS

ROOT = Path(__file__).resolve().parent.parent


class Package:
    """An installed package that carries one file."""

    def __init__(self, file: Path) -> None:
        self.files = [self]
        self.suffix = file.suffix
        self._file = file

    def locate(self) -> Path:
        return self._file


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Package:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "distribution", missing)
    with pytest.raises(LocalModelUnavailable, match=r"part1 is missing.*local_llm\.txt"):
        local_llm.check_installed()


def test_other_bytes_than_the_pinned_ones_are_refused_and_not_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    part = tmp_path / "part.bin"
    part.write_bytes(b"not a model")
    monkeypatch.setattr(metadata, "distribution", lambda name: Package(part))
    with pytest.raises(LocalModelUnavailable, match="not the pinned one"):
        local_llm.model_file(tmp_path / "models")
    assert not (tmp_path / "models" / local_llm.NAME).exists()


def test_serving_without_the_packages_ends_before_anything_starts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def missing() -> None:
        raise LocalModelUnavailable("the local model is not installed")

    monkeypatch.setattr(local_llm, "check_installed", missing)
    serving = Serving(port=free_port(), workers=1, llm="local")
    with (
        pytest.raises(CannotServe, match="not installed"),
        running(serving, say=pytest.fail, prepare=lambda: pytest.fail("was prepared")),
    ):
        pytest.fail("was started")


def _is_installed() -> bool:
    try:
        local_llm.check_installed()
    except LocalModelUnavailable:
        return False
    return True


@pytest.mark.skipif(not _is_installed(), reason="needs: pip install --no-deps -r local_llm.txt")
def test_the_model_answers_who_has_the_key() -> None:
    port, key = free_port(), secrets.token_urlsafe(16)
    process = subprocess.Popen(
        [sys.executable, "-m", "docintel.local_llm", str(settings.MODELS_DIR), str(port)],
        cwd=ROOT,
        env={**os.environ, "OPENAI_API_KEY": key},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://{HOST}:{port}/v1/chat/completions"
    question = {
        "model": local_llm.NAME,
        "temperature": 0,
        "max_tokens": 12,
        "messages": [{"role": "user", "content": "What is the capital of France? One word."}],
    }

    def answers() -> bool:
        try:
            return httpx.get(f"http://{HOST}:{port}/health", timeout=10).is_success
        except httpx.TransportError:
            return False

    try:
        until(answers, "the model is loaded")
        assert httpx.post(url, json=question, timeout=ENOUGH_SECONDS).status_code == 401
        reply = httpx.post(
            url, json=question, headers={"Authorization": f"Bearer {key}"}, timeout=ENOUGH_SECONDS
        )
        assert "Paris" in reply.json()["choices"][0]["message"]["content"]
    finally:
        process.terminate()
        assert process.wait(timeout=ENOUGH_SECONDS) == 0


def test_the_others_are_told_that_it_chooses() -> None:
    told = local_llm.environment("http://127.0.0.1:9/v1")
    assert (told["LLM_SMALL_ROLE"], told["LLM_LARGE_ROLE"]) == ("chooses", "chooses")
    assert (
        told["OPENAI_API_KEY"] != local_llm.environment("http://127.0.0.1:9/v1")["OPENAI_API_KEY"]
    )
