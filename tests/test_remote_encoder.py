"""A question does not wait long for an inference role that takes connections and never answers."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import httpx
import pytest

from docintel import remote_encoder
from docintel.remote_encoder import EncoderUnavailable


class Silent:
    """It takes connections, and never says a word."""

    def __init__(self, server: socket.socket) -> None:
        self.server = server
        self.url = f"http://127.0.0.1:{server.getsockname()[1]}"

    def asked(self) -> int:
        """How many connections were made since it was looked at last."""
        asked = 0
        while True:
            try:
                self.server.accept()[0].close()
            except BlockingIOError:
                return asked
            asked += 1


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> Iterator[Silent]:
    impatient = {**remote_encoder.TIMEOUT, "query": httpx.Timeout(0.5)}
    monkeypatch.setattr(remote_encoder, "TIMEOUT", impatient)
    monkeypatch.setattr(remote_encoder, "_silent_until", {})
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        server.setblocking(False)
        yield Silent(server)


def ask(silent: Silent) -> int:
    """How many connections a question made before it went on without an answer."""
    with pytest.raises(EncoderUnavailable, match=silent.url):
        remote_encoder.embed(["Why?"], url=silent.url, token="", model="m", kind="query", digest="")
    return silent.asked()


def test_a_question_waits_once_and_the_next_ones_not_at_all(silent: Silent) -> None:
    assert ask(silent) == 1
    assert ask(silent) == 0


def test_questions_are_asked_again_after_a_while(
    silent: Silent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote_encoder, "SILENT_SECONDS", 0.0)
    assert ask(silent) == 1
    assert ask(silent) == 1
