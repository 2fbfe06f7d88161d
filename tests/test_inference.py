"""The inference role over real HTTP: same vectors, questions first, refusals in words."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import httpx
import numpy as np
import pytest
from django.conf import settings as configured
from django.test import AsyncClient, override_settings

from benchmarks.embedding import full_chunk, inference_role
from docintel import encoders, weights
from docintel.encoders import EncoderUnavailable
from docintel.inference import serving
from docintel.inference.batching import Lane, QueueFull
from docintel.roles import Role
from tests.waiting import ENOUGH_SECONDS, until

ROOT = Path(__file__).resolve().parent.parent
pytestmark = pytest.mark.django_db
TEXTS = ["Gross margin fell.", "Prices were raised twice.", "cost of sales rose " * 100]


@pytest.fixture(scope="module")
def role() -> Iterator[tuple[str, str]]:
    with inference_role() as served:
        yield served


@pytest.fixture
def remote(role, settings) -> None:
    settings.ROLE = Role.WEB
    settings.INFERENCE_URL, settings.INFERENCE_TOKEN = role


def _post(role: tuple[str, str], body: object, token: str | None = None) -> httpx.Response:
    url, right = role
    headers = {"Authorization": f"Bearer {right if token is None else token}"}
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return httpx.post(
        f"{url}/v1/embeddings", content=content, headers=headers, timeout=ENOUGH_SECONDS
    )


def test_remote_vectors_equal_those_of_this_process(remote, settings) -> None:
    far = encoders.embed(TEXTS * 20)
    settings.ROLE, settings.INFERENCE_URL = Role.MANAGE, ""
    near = encoders.embed(TEXTS * 20)
    assert far.shape == near.shape == (60, 768)
    assert (far * near).sum(axis=1).min() > 0.999


def test_the_answer_has_openais_shape(role) -> None:
    reply = _post(role, {"input": "Gross margin fell.", "model": "all-MiniLM-L6-v2"}).json()
    assert reply["object"] == "list"
    assert [row["index"] for row in reply["data"]] == [0]
    assert len(reply["data"][0]["embedding"]) == 384
    assert np.linalg.norm(reply["data"][0]["embedding"]) == pytest.approx(1, abs=1e-4)
    assert reply["usage"]["prompt_tokens"] == reply["usage"]["total_tokens"] == 6


def test_a_question_overtakes_documents(role, remote) -> None:
    chunks = [full_chunk(index) for index in range(96)]
    with ThreadPoolExecutor(1) as background:
        bulk = background.submit(lambda: _post(role, {"input": chunks, "input_type": "document"}))

        def waits() -> bool:
            assert not bulk.done()
            health = httpx.get(f"{role[0]}/health", timeout=ENOUGH_SECONDS).json()
            tokens: int = health["waiting_tokens"]
            return tokens > 20_000

        until(waits, "the documents waited")
        assert encoders.embed(["What drove the margin?"], kind="query").any()
        assert not bulk.done()
        assert bulk.result().status_code == 200


def test_health_tells_the_model(role) -> None:
    reply = httpx.get(f"{role[0]}/health", timeout=ENOUGH_SECONDS)
    assert reply.status_code == 200
    assert reply.json()["digest"] == weights.KNOWN["all-MiniLM-L6-v2"].digest
    assert reply.json()["dimensions"] == 384


def test_metrics_want_the_token(role) -> None:
    url, token = role
    assert httpx.get(f"{url}/metrics", timeout=ENOUGH_SECONDS).status_code == 401
    headers = {"Authorization": f"Bearer {token}"}
    reply = httpx.get(f"{url}/metrics", headers=headers, timeout=ENOUGH_SECONDS)
    assert "docintel_encoded_tokens_total" in reply.text


@pytest.mark.parametrize("token", ["", "wrong", "ключ"])
def test_a_wrong_token_gets_nothing(role, token) -> None:
    headers = {"Authorization": f"Bearer {token}".strip().encode()}
    reply = httpx.post(
        f"{role[0]}/v1/embeddings", json={"input": "x"}, headers=headers, timeout=ENOUGH_SECONDS
    )
    assert reply.status_code == 401
    assert reply.json()["error"]["code"] == "invalid_api_key"


def test_a_refused_token_is_said_at_once(remote, settings) -> None:
    settings.INFERENCE_TOKEN = "wrong"
    with pytest.raises(EncoderUnavailable, match="401 the token is missing or wrong"):
        encoders.embed(["a question"], kind="query")


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        (b"no json", 400, "not JSON"),
        (b"\xff\xfe", 400, "not JSON"),
        ([1], 400, "not a JSON object"),
        ({}, 400, "input must be"),
        ({"input": []}, 400, "input must be"),
        ({"input": ["good", 5]}, 400, "input 1 is not a text"),
        ({"input": ["good", " "]}, 400, "input 1 is not a text or is empty"),
        ({"input": ["\ud800"]}, 400, "not valid Unicode"),
        ({"input": ["x"] * 257}, 400, "at most 256"),
        ({"input": ["x"], "input_type": "poem"}, 400, "input_type"),
        ({"input": ["x"], "encoding_format": "zip"}, 400, "encoding_format"),
        ({"input": ["x"], "dimensions": 12}, 400, "384 dimensions"),
        ({"input": ["x"], "model": "other"}, 404, "not other"),
        ({"input": ["ok", "word " * 600]}, 400, "text 1 has 602 tokens"),
        ({"input": ["x" * 2_000_001]}, 413, "at most 2,000,000 bytes"),
    ],
)
def test_bad_input_is_refused_in_words(role, body, status, words) -> None:
    reply = _post(role, body)
    assert reply.status_code == status
    assert words in reply.json()["error"]["message"]


def test_web_embeds_without_a_model_library(role) -> None:
    code = (
        "import sys, django; django.setup()\n"
        "from docintel import encoders, registry\n"
        # This process has no database of its own.
        "registry.live = lambda name: None\n"
        "assert encoders.embed(['What drove the margin?'], kind='query').shape == (1, 768)\n"
        "heavy = {'torch', 'openvino', 'transformers', 'sentence_transformers'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    environment = {**os.environ, "DOCINTEL_ROLE": "web"}
    environment |= {"INFERENCE_URL": role[0], "INFERENCE_TOKEN": role[1]}
    result = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == "[]"


def _ready(capacity: int) -> serving.Server:
    """A server whose lanes are never started, so that what is accepted keeps waiting."""
    found = weights.describe(configured.EMBEDDING_MODEL)
    encoder = encoders.load_encoder()
    lanes = [Lane(name, encoder, capacity=capacity, take=64) for name in ("urgent", "bulk")]
    server = serving.Server()
    server.ready = serving.Ready("", found, encoder.device, encoder.precision, *lanes)
    return server


def _ask(server: serving.Server, token: str = "right") -> httpx.Response:
    async def ask():
        return await AsyncClient().post(
            "/v1/embeddings",
            {"input": ["Gross margin fell."], "input_type": "document"},
            content_type="application/json",
            headers={"authorization": "Bearer right"},
        )

    settings = override_settings(
        ROOT_URLCONF="docintel.urls_inference",
        INFERENCE_TOKEN=token,
        MIDDLEWARE=["django.middleware.security.SecurityMiddleware"],
    )
    with settings, pytest.MonkeyPatch.context() as patch:
        patch.setattr("docintel.inference.views.server", lambda: server)
        return asyncio.run(ask())


def test_an_overloaded_role_says_when_to_come_back() -> None:
    server = _ready(capacity=40)
    assert server.ready is not None
    server.ready.bulk.submit([[101] * 39])
    reply = _ask(server)
    assert reply.status_code == 429
    assert int(reply.headers["Retry-After"]) >= 1
    assert reply.json()["error"]["code"] == "overloaded"


def test_a_loading_role_says_so() -> None:
    reply = _ask(serving.Server())
    assert reply.status_code == 503
    assert reply.headers["Retry-After"] == "2"


def test_a_role_without_a_token_serves_nothing() -> None:
    reply = _ask(_ready(capacity=40), token="")
    assert reply.status_code == 403


def test_a_lane_encodes_what_waits_and_skips_what_was_given_up() -> None:
    lane = Lane("test", encoders.load_encoder(), capacity=100, take=64)
    rows = encoders.token_rows(["Gross margin fell.", "Prices rose."], "document")
    kept, given_up = lane.submit(rows)
    given_up.cancel()
    lane.start()
    assert np.linalg.norm(kept.result(timeout=ENOUGH_SECONDS)) == pytest.approx(1, abs=1e-4)
    lane.stop()
    assert lane.waiting == 0
    with pytest.raises(QueueFull):
        lane.submit(rows)


class _Stub(BaseHTTPRequestHandler):
    """Another server of OpenAI's shape; it answers from `replies`, the last one for ever."""

    replies: list[tuple[int, dict[str, str], object]] = []
    asked = 0

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        self.rfile.read(length)
        kind = type(self)
        status, headers, body = kind.replies[min(kind.asked, len(kind.replies) - 1)]
        kind.asked += 1
        content = json.dumps(body).encode()
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args: object) -> None:
        """Nothing on the test's output."""


@pytest.fixture
def other_server(settings) -> Iterator[type[_Stub]]:
    stub = type("Stub", (_Stub,), {"replies": [], "asked": 0})
    server = HTTPServer(("127.0.0.1", 0), stub)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    settings.ROLE = Role.WEB
    settings.INFERENCE_URL = f"http://127.0.0.1:{server.server_port}/v1"
    yield stub
    server.shutdown()
    server.server_close()


def _vectors(*vectors: list[float]) -> dict[str, object]:
    return {"data": [{"index": i, "embedding": v} for i, v in reversed([*enumerate(vectors)])]}


def test_another_server_is_asked_again_and_its_order_kept(other_server) -> None:
    good = _vectors([2.0] + [0.0] * 383, [0.0] * 383 + [3.0])
    other_server.replies = [(503, {"Retry-After": "0"}, {}), (200, {}, good)]
    vectors = encoders.embed(["first", "second"])
    assert other_server.asked == 2
    assert (vectors[0, 0], vectors[1, 383]) == (1, 1)


def test_trying_again_ends(other_server) -> None:
    other_server.replies = [(429, {"Retry-After": "0"}, {"error": {"message": "busy"}})]
    with pytest.raises(EncoderUnavailable, match="429 busy"):
        encoders.embed(["first"])
    assert other_server.asked == 6


@pytest.mark.parametrize(
    ("headers", "body", "words"),
    [
        ({}, {"vectors": []}, "another shape"),
        ({}, _vectors([0.0] * 384), "empty or infinite"),
        ({}, _vectors([1.0] * 1024), "1024 dimensions"),
        ({}, _vectors([1.0] * 384, [1.0] * 384), "2 vectors for 1"),
        ({"X-Model-Digest": "f" * 64}, _vectors([1.0] * 384), "other weights"),
    ],
)
def test_wrong_vectors_are_never_taken(other_server, headers, body, words) -> None:
    other_server.replies = [(200, headers, body)]
    with pytest.raises(EncoderUnavailable, match=words):
        encoders.embed(["first"])


def test_no_server_is_said_in_words(settings) -> None:
    settings.ROLE = Role.WEB
    settings.INFERENCE_URL = "http://127.0.0.1:9"
    with pytest.raises(EncoderUnavailable, match="is the inference role running"):
        encoders.embed(["a question"], kind="query")


def test_texts_are_measured_before_they_are_sent(other_server, caplog) -> None:
    other_server.replies = [(200, {}, _vectors([1.0] * 384))]
    with pytest.raises(encoders.TextTooLong):
        encoders.embed(["word " * 600])
    assert other_server.asked == 0
    assert encoders.embed(["word " * 600], kind="query").shape == (1, 768)
    assert "cut to 512" in caplog.text
