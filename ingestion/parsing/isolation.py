"""Parsing in a child process with limits, so that no file can hang, crash or read the caller.

The child gets a bare environment (no keys, no database), its own process group, and limits on
memory, processor time and the size of its answer; its answer is JSON, never a pickle.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from ingestion.parsing.parsed import Parsed, ParserFailed, Unreadable

_ROOT = Path(__file__).resolve().parents[2]
_COMMAND = (sys.executable, "-s", "-m", "ingestion.parsing.child")
_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "PYTHONIOENCODING": "utf-8"}
_LARGEST_IMAGE = 64 * 1_048_576


def parse(
    path: Path,
    file_name: str,
    *,
    seconds: int,
    memory_mb: int,
    max_characters: int,
    ocr_language: str = "",
) -> Parsed:
    """The text and layout of the file; `file_name` is only a hint to its type.

    With `ocr_language` ("eng", "deu+fra") scanned pages of a PDF are read by OCR.

    Raises Unreadable (permanent: encrypted, damaged, empty, scanned, too long, not supported)
    and ParserFailed (crash, time or memory), both with a reason for people.
    """
    request = {
        "verb": "parse",
        "path": str(path.resolve()),
        "file_name": file_name,
        "max_characters": max_characters,
        "ocr_language": ocr_language,
    }
    # At most four bytes a character, and as much again for pages and sections.
    reply, _ = ask(
        request, seconds=seconds, memory_mb=memory_mb, answer_bytes=8 * max_characters + 2**20
    )
    return Parsed(**reply)


def ask(
    request: Mapping[str, Any],
    *,
    seconds: int,
    memory_mb: int,
    answer_bytes: int = _LARGEST_IMAGE,
) -> tuple[dict[str, Any], bytes]:
    """The child's answer and the bytes after it; raises as `parse` does."""
    limits = {"seconds": seconds, "memory_mb": memory_mb, "answer_bytes": answer_bytes}
    with tempfile.TemporaryFile() as answer, tempfile.TemporaryFile() as errors:
        status = _run(json.dumps({**request, **limits}).encode(), answer, errors, seconds)
        answer.seek(0)
        line, payload = answer.readline(), answer.read()
        errors.seek(0)
        complaint = errors.read(20_000).decode("utf-8", "replace")
    return _outcome(status, line, complaint), payload


def _run(request: bytes, answer: IO[bytes], errors: IO[bytes], seconds: int) -> int:
    """Exit status of the child, negative for a signal; it is dead when this returns."""
    # The child holds the other end: it closes when the child ends, without polling for that.
    ended, held = os.pipe()
    try:
        process = subprocess.Popen(
            _COMMAND,
            stdin=subprocess.PIPE,
            stdout=answer,
            stderr=errors,
            cwd=_ROOT,
            env=_ENVIRONMENT,
            pass_fds=(held,),
            start_new_session=True,
        )
    finally:
        os.close(held)
    try:
        _send(process, request)
        in_time = _closes_within(ended, seconds)
    finally:
        os.close(ended)
        status = _end(process)
    if not in_time or status in (-signal.SIGXCPU, -signal.SIGALRM):
        raise ParserFailed(f"Parsing took longer than {seconds} seconds and was stopped.")
    return status


def _send(process: subprocess.Popen[bytes], request: bytes) -> None:
    # A child that died at once is told by its exit status, not by the broken pipe.
    if process.stdin:
        with contextlib.suppress(BrokenPipeError), process.stdin:
            process.stdin.write(request + b"\n")


def _closes_within(descriptor: int, seconds: float) -> bool:
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, selectors.EVENT_READ)
        return bool(selector.select(seconds))


def _end(process: subprocess.Popen[bytes]) -> int:
    """Kills the whole group, with whatever the child may have started; its exit status.

    A child whose pipe has closed is past its own exit, and keeps the status it chose.
    """
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    return process.wait()


def _outcome(status: int, line: bytes, complaint: str) -> dict[str, Any]:
    try:
        reply = json.loads(line) if status == 0 else {}
    except ValueError:
        reply = {}
    if "ok" in reply:
        return dict(reply["ok"])
    if "unreadable" in reply:
        raise Unreadable(reply["unreadable"])
    if "failed" in reply:
        raise ParserFailed(reply["failed"])
    if "MemoryError" in complaint or "bad_alloc" in complaint or status == -signal.SIGKILL:
        raise ParserFailed("The parser ran out of memory.")
    if status < 0:
        raise ParserFailed(f"The parser crashed ({signal.Signals(-status).name}).")
    last = complaint.strip().splitlines()[-1:] or ["no message"]
    raise ParserFailed(f"The parser ended without an answer: {last[0][:300]}")
