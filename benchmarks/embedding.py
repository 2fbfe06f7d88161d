"""How much of the bare encoder's throughput `docintel.encoders.embed` keeps, in the same run.

A busy machine changes its pace within seconds, so each round measures all of them in turn and
ratios are taken within a round.
"""

from __future__ import annotations

import argparse
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import numpy as np
from django.conf import settings
from django.test import override_settings

from docintel import encoders, weights
from docintel.holding import HOST, free_port
from docintel.inference import loading
from docintel.roles import Role
from docintel.scoring import CannotScore, Score, bootstrap

START_SECONDS = 180


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rounds", type=int, default=6, help="how often each path is measured")
    parser.add_argument("--seconds", type=float, default=3.0, help="about how long each time")
    parser.add_argument(
        "--in-process", action="store_true", help="score the path without an inference role"
    )


def run(*, rounds: int = 6, seconds: float = 3.0, in_process: bool = False, **_: Any) -> Score:
    """The share of the bare encoder's chunks a second that `embed` keeps; 0.9 is the target.

    An inference role of its own is started, as `serve` does, and the path over HTTP scored,
    unless `in_process`; that path is in `detail`. Raises `CannotScore`.
    """
    try:
        return _run(rounds, seconds, over_http=not in_process)
    except (weights.WeightsUnavailable, encoders.EncoderUnavailable) as error:
        raise CannotScore(str(error)) from error


def _run(rounds: int, seconds: float, *, over_http: bool) -> Score:
    start = time.perf_counter()
    found = weights.describe(settings.EMBEDDING_MODEL)
    bare = loading.load(found)
    pace = _pace(bare)
    chunks = int(min(128, max(8, pace * seconds)))
    texts = [full_chunk(index) for index in range(chunks)]
    rows = encoders.token_rows(texts, "document")
    paths: dict[str, Callable[[], Any]] = {
        "bare": lambda: bare.encode(rows),
        "in_process": lambda: _embed_here(texts),
    }
    if over_http:
        with inference_role() as (url, token):
            paths["over_http"] = lambda: _embed_there(texts, url, token)
            rates = _rates(paths, rounds, chunks)
    else:
        rates = _rates(paths, rounds, chunks)
    scored = "over_http" if over_http else "in_process"
    ratios = {name: _ratio(rates[name], rates["bare"]) for name in rates if name != "bare"}
    return Score(
        headline="share of the bare encoder's throughput kept",
        value=ratios[scored][0],
        higher_is_better=True,
        n=rounds,
        interval=ratios[scored][1],
        seconds=time.perf_counter() - start,
        detail={
            "model": found.name,
            "device": bare.device,
            "precision": bare.precision,
            "tokens_per_chunk": encoders.MAX_TOKENS,
            "chunks_per_round": chunks,
            "scored": scored,
            "ratios": {name: value for name, (value, _) in ratios.items()},
            "chunks_per_second": {name: float(np.median(found)) for name, found in rates.items()},
        },
    )


def full_chunk(seed: int) -> str:
    """A text of exactly 512 tokens, special tokens included."""
    sentence = (
        "In period {} net sales rose {} percent while freight and wage costs took {} points. "
    )
    text = "".join(sentence.format(seed + n, n % 17, n % 5) for n in range(80))
    offsets = encoders.tokenizer().encode(text).offsets
    return text[: offsets[encoders.MAX_TOKENS - 2][1]]


@contextmanager
def inference_role(**environment: str) -> Iterator[tuple[str, str]]:
    """(url, token) of a running inference role of its own; it is stopped on the way out."""
    port, token = free_port(), secrets.token_urlsafe(16)
    url = f"http://{HOST}:{port}"
    command = [sys.executable, "-m", "uvicorn", "docintel.asgi:application", "--host", HOST]
    process = subprocess.Popen(
        [*command, "--port", str(port), "--lifespan", "off", "--no-access-log"],
        cwd=settings.BASE_DIR,
        env={
            **os.environ,
            "DOCINTEL_ROLE": Role.INFERENCE,
            "EMBEDDING_MODEL": settings.EMBEDDING_MODEL,
            "MODELS_DIR": str(settings.MODELS_DIR),
            "INFERENCE_TOKEN": token,
            **environment,
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _await_ready(url, process)
        yield url, token
    finally:
        process.terminate()
        process.wait(timeout=30)


def _await_ready(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            reply = httpx.get(f"{url}/health", trust_env=False)
        except httpx.HTTPError:
            reply = None
        if reply is not None and reply.json().get("status") == "ready":
            return
        if reply is not None and reply.json().get("status") == "failed":
            raise CannotScore(reply.json()["message"])
        time.sleep(0.1)
    raise CannotScore(f"the inference role at {url} did not become ready")


def _pace(bare: loading.Encoder) -> float:
    rows = encoders.token_rows([full_chunk(index) for index in range(4)], "document")
    bare.encode(rows)
    start = time.perf_counter()
    bare.encode(rows)
    return len(rows) / (time.perf_counter() - start)


def _embed_here(texts: list[str]) -> None:
    with override_settings(INFERENCE_URL="", ROLE=Role.MANAGE):
        encoders.embed(texts)


def _embed_there(texts: list[str], url: str, token: str) -> None:
    with override_settings(INFERENCE_URL=url, INFERENCE_TOKEN=token, ROLE=Role.WORKER):
        encoders.embed(texts)


def _rates(paths: dict[str, Callable[[], Any]], rounds: int, chunks: int) -> dict[str, list[float]]:
    """Chunks a second per path and round; every other round runs the paths backwards."""
    rates: dict[str, list[float]] = {name: [] for name in paths}
    for path in paths.values():
        path()
    for number in range(rounds):
        for name in list(paths) if number % 2 == 0 else list(paths)[::-1]:
            start = time.perf_counter()
            paths[name]()
            rates[name].append(chunks / (time.perf_counter() - start))
    return rates


def _ratio(path: list[float], bare: list[float]) -> tuple[float, tuple[float, float]]:
    """The geometric mean of the rounds' ratios, and its bootstrap interval."""
    logs = np.log(np.array(path) / np.array(bare))
    low, high = bootstrap([float(value) for value in logs])
    return float(np.exp(logs.mean())), (float(np.exp(low)), float(np.exp(high)))
