"""A question does not wait long for an inference role that takes connections and never answers."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import httpx
import pytest

from docintel import remote_encoder
from docintel.remote_encoder import EncoderUnavailable


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    impatient = {**remote_encoder.TIMEOUT, "query": httpx.Timeout(0.5)}
    monkeypatch.setattr(remote_encoder, "TIMEOUT", impatient)
    monkeypatch.setattr(remote_encoder, "_silent_until", {})
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def ask(url: str) -> float:
    start = time.monotonic()
    with pytest.raises(EncoderUnavailable, match=url):
        remote_encoder.embed(["Why?"], url=url, token="", model="m", kind="query", digest="")
    return time.monotonic() - start


def test_a_question_waits_once_and_the_next_ones_not_at_all(silent: str) -> None:
    assert 0.4 < ask(silent) < 0.9
    assert ask(silent) < 0.2


def test_questions_are_asked_again_after_a_while(
    silent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote_encoder, "SILENT_SECONDS", 0.0)
    ask(silent)
    assert ask(silent) > 0.4
