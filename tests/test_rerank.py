"""`/v1/rerank` over real HTTP: both shapes, windows, limits, and the same scores as in process."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import small_reranker

from benchmarks.embedding import inference_role
from docintel import cross_encoding, remote_reranker, rerankers
from docintel.cross_encoding import RerankerUnavailable
from docintel.roles import Role
from tests.waiting import ENOUGH_SECONDS

pytestmark = pytest.mark.django_db
QUERY = "What drove the gross margin?"
TEXTS = [
    "Freight costs lowered the gross margin by two points.",
    "The board thanked the staff.",
    "Gross margin rose on prices. " * 30,
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_reranker.write(tmp_path_factory.mktemp("reranker"))


@pytest.fixture(scope="module")
def role(folder: Path) -> Iterator[tuple[str, str]]:
    with inference_role(RERANKER_MODEL=str(folder)) as served:
        _await_reranker(served[0])
        yield served


def _await_reranker(url: str) -> None:
    def state() -> dict[str, str]:
        told: dict[str, str] = httpx.get(f"{url}/health", timeout=ENOUGH_SECONDS).json()["reranker"]
        return told

    while (told := state())["status"] == "loading":
        assert "message" in told
    assert told["status"] == "ready", told


def _post(
    role: tuple[str, str], body: object, *, token: str | None = None, path: str = "/v1/rerank"
) -> httpx.Response:
    url, right = role
    given = right if token is None else token
    headers = {"Authorization": f"Bearer {given}"} if given else {}
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return httpx.post(f"{url}{path}", content=content, headers=headers, timeout=ENOUGH_SECONDS)


@pytest.fixture
def remote(role: tuple[str, str], folder: Path, settings: Any) -> None:
    settings.ROLE, settings.RERANKER_MODEL = Role.WEB, str(folder)
    settings.INFERENCE_URL, settings.INFERENCE_TOKEN = role
    remote_reranker._silent_until.clear()


def test_jinas_shape(role: tuple[str, str]) -> None:
    body = {"query": QUERY, "documents": TEXTS, "top_n": 2, "model": "by-lot"}
    reply = _post(role, body | {"return_documents": True}).json()
    assert reply["model"] == "by-lot"
    assert reply["usage"]["total_tokens"] > 100
    scores = [row["relevance_score"] for row in reply["results"]]
    assert len(scores) == 2
    assert scores == sorted(scores, reverse=True)
    assert all(0 < score < 1 for score in scores)
    for row in reply["results"]:
        assert row["document"]["text"] == TEXTS[row["index"]]


def test_teis_shape_at_its_own_address(role: tuple[str, str]) -> None:
    body = {"query": QUERY, "texts": TEXTS, "raw_scores": True, "return_text": True}
    rows = _post(role, body, path="/rerank").json()
    assert sorted(row["index"] for row in rows) == [0, 1, 2]
    assert [row["score"] for row in rows] == sorted((r["score"] for r in rows), reverse=True)
    assert all(row["text"] == TEXTS[row["index"]] for row in rows)


def test_a_long_document_is_read_in_windows_and_says_so(role: tuple[str, str]) -> None:
    rows = _post(role, {"query": QUERY, "documents": TEXTS}).json()["results"]
    windows = {row["index"]: row.get("windows", 1) for row in rows}
    assert windows[0] == windows[1] == 1
    assert windows[2] > 2
    cut = _post(role, {"query": QUERY, "documents": TEXTS, "truncate": True}).json()["results"]
    assert all("windows" not in row for row in cut)


def test_what_stands_at_the_end_of_a_long_document_counts(role: tuple[str, str]) -> None:
    filler = "The weather was mild. " * 40
    texts = [TEXTS[0], filler, f"{filler}{TEXTS[0]}"]
    body = {"query": QUERY, "documents": texts, "raw_scores": True}
    found = {row["index"]: row["relevance_score"] for row in _post(role, body).json()["results"]}
    assert found[2] != pytest.approx(found[1], abs=1e-4)


def test_the_same_scores_far_and_near_and_every_time(
    remote: None, folder: Path, settings: Any
) -> None:
    far = cross_encoding.rerank(QUERY, TEXTS * 9)
    again = cross_encoding.rerank(QUERY, TEXTS * 9)
    settings.ROLE, settings.INFERENCE_URL = Role.MANAGE, ""
    near = cross_encoding.rerank(QUERY, TEXTS * 9)
    assert far.shape == near.shape == (27,)
    assert far.dtype == np.float32
    assert (far == again).all()
    # In bf16 a row's place in its batch moves the last digits.
    assert np.allclose(far, near, atol=0.05)
    assert list(np.argsort(-far[:3])) == list(np.argsort(-near[:3]))


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "invalid_json"),
        (b"[" * 9_000, 400, "invalid_json"),
        ([1], 400, "invalid_json"),
        ({"documents": TEXTS}, 400, "bad_input"),
        ({"query": " ", "documents": TEXTS}, 400, "bad_input"),
        ({"query": QUERY}, 400, "bad_input"),
        ({"query": QUERY, "documents": []}, 400, "bad_input"),
        ({"query": QUERY, "documents": TEXTS, "texts": TEXTS}, 400, "bad_input"),
        ({"query": QUERY, "documents": ["a", ""]}, 400, "bad_input"),
        ({"query": QUERY, "documents": ["a", {"image": "b"}]}, 400, "bad_input"),
        ({"query": QUERY, "documents": ["a", "\ud800"]}, 400, "bad_input"),
        ({"query": QUERY, "documents": ["a"] * 513}, 400, "bad_input"),
        ({"query": QUERY, "documents": TEXTS, "top_n": 0}, 400, "bad_top_n"),
        ({"query": QUERY, "documents": TEXTS, "top_n": True}, 400, "bad_top_n"),
        ({"query": QUERY, "documents": TEXTS, "raw_scores": "yes"}, 400, "bad_raw_scores"),
        ({"query": QUERY, "documents": TEXTS, "model": "other"}, 404, "model_not_found"),
        ({"query": "margin " * 60, "documents": TEXTS}, 400, "context_length_exceeded"),
        ({"query": QUERY, "documents": ["word " * 9_000]}, 400, "context_length_exceeded"),
        ({"query": QUERY, "documents": ["word " * 1_000] * 200}, 413, "request_too_large"),
        ({"query": QUERY, "documents": ["x" * 2_100_000]}, 413, "request_too_large"),
    ],
)
def test_what_cannot_be_ranked_is_refused_in_words(
    role: tuple[str, str], body: object, status: int, code: str
) -> None:
    reply = _post(role, body)
    assert (reply.status_code, reply.json()["error"]["code"]) == (status, code)
    assert len(reply.json()["error"]["message"]) > 10


def test_a_long_query_is_cut_only_where_that_is_asked_for(role: tuple[str, str]) -> None:
    body = {"query": "margin " * 60, "documents": TEXTS, "truncate": True}
    assert len(_post(role, body).json()["results"]) == 3


def test_nothing_is_served_without_the_token(role: tuple[str, str]) -> None:
    body = {"query": QUERY, "documents": TEXTS}
    assert _post(role, body, token="wrong").status_code == 401
    assert _post(role, body, token="").status_code == 401
    assert httpx.get(f"{role[0]}/v1/rerank", timeout=ENOUGH_SECONDS).status_code == 405


def test_another_reranker_than_the_configured_one_is_not_believed(
    remote: None, settings: Any, tmp_path: Path
) -> None:
    settings.RERANKER_MODEL = str(small_reranker.write(tmp_path / "other", seed=2))
    with pytest.raises(RerankerUnavailable, match="serves another reranker"):
        cross_encoding.rerank(QUERY, TEXTS)


def test_a_silent_server_is_not_waited_for_twice(remote: None, settings: Any) -> None:
    settings.INFERENCE_URL = "http://127.0.0.1:9"
    with pytest.raises(RerankerUnavailable):
        cross_encoding.rerank(QUERY, TEXTS)
    with pytest.raises(RerankerUnavailable, match="did not answer a moment ago"):
        cross_encoding.rerank(QUERY, TEXTS)


def test_the_web_role_loads_no_model(remote: None, settings: Any) -> None:
    settings.INFERENCE_URL = ""
    with pytest.raises(RerankerUnavailable, match="loads no models"):
        cross_encoding.rerank(QUERY, TEXTS)


def test_a_spoilt_artefact_is_refused(folder: Path, tmp_path: Path, settings: Any) -> None:
    spoilt = small_reranker.write(tmp_path / "spoilt")
    config = json.loads((spoilt / "config.json").read_text())
    for change, words in (
        ({"digest": "0" * 64}, "not the one"),
        ({"format": 9}, "has format 9"),
        ({"rank": 0}, "does not describe"),
        ({"tokens": 4_096}, "reads 4096 tokens"),
    ):
        (spoilt / "config.json").write_text(json.dumps(config | change))
        settings.RERANKER_MODEL = str(spoilt)
        rerankers._described.cache_clear()
        with pytest.raises(RerankerUnavailable, match=words):
            cross_encoding.rerank(QUERY, TEXTS)
    settings.RERANKER_MODEL = str(tmp_path / "nowhere")
    with pytest.raises(RerankerUnavailable, match="neither"):
        cross_encoding.rerank(QUERY, TEXTS)


def test_off_is_said_and_embeddings_go_on() -> None:
    with inference_role(RERANKER_MODEL="off") as served:
        reply = _post(served, {"query": QUERY, "documents": TEXTS})
        assert reply.status_code == 404
        assert "RERANKER_MODEL is off" in reply.json()["error"]["message"]
        assert _post(served, {"input": TEXTS[0]}, path="/v1/embeddings").status_code == 200
