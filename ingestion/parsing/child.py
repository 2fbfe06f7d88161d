"""The child process: reads one request from its standard input, answers on its standard output.

The request is one line of JSON; the answer is one line of JSON (`ok`, `unreadable` or `failed`),
for an image followed by its bytes. Only what the file's type needs is imported.
"""

from __future__ import annotations

import ctypes
import dataclasses
import json
import os
import resource
import signal
import sys
from pathlib import Path
from typing import Any

from ingestion.parsing import detect
from ingestion.parsing.parsed import Parsed, Unreadable

_NO_ROOM = "The parser ran out of memory."


def main() -> int:
    """Answers the request; the exit status is 0 whenever an answer was written."""
    request = json.loads(sys.stdin.buffer.readline())
    # Native libraries print to descriptor 1; the answer must not be mixed with that.
    answer = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    _limit(request["seconds"], request["memory_mb"], request["answer_bytes"])
    try:
        reply, payload = _VERBS[request["verb"]](request)
    except Unreadable as error:
        reply, payload = {"unreadable": str(error)}, b""
    except MemoryError:
        reply, payload = {"failed": _NO_ROOM}, b""
    except Exception as error:  # noqa: BLE001 - whatever a parser raises is the file's reason
        reply, payload = {"failed": f"The parser failed: {type(error).__name__}: {error}"}, b""
    answer.write(json.dumps(reply, ensure_ascii=False).encode("utf-8", "replace") + b"\n")
    answer.write(payload)
    answer.flush()
    return 0


def _limit(seconds: int, memory_mb: int, answer_bytes: int) -> None:
    memory = memory_mb * 1_048_576
    for name, value in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_CPU, seconds + 1),
        (resource.RLIMIT_FSIZE, answer_bytes),
        (resource.RLIMIT_CORE, 0),
    ):
        try:
            hard = resource.getrlimit(name)[1]
            if hard != resource.RLIM_INFINITY:
                value = min(value, hard)  # noqa: PLW2901 - the lower limit holds
            resource.setrlimit(name, (value, value))
        except (ValueError, OSError):
            # Not every system knows every limit; the parent's clock holds on all of them.
            continue
    # Should the parent be killed, this process ends by itself: by the clock, on Linux at once.
    signal.alarm(seconds + 5)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def _parse(request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    path, most = Path(request["path"]), request["max_characters"]
    media_type = detect.media_type(path, request["file_name"])
    parsed = _by_type(path, media_type, most, request)
    expected = detect.SUFFIXES.get(Path(request["file_name"]).suffix.lower())
    plain = (detect.TEXT, detect.MARKDOWN)
    if expected and expected != media_type and not (expected in plain and media_type in plain):
        parsed.notes.append(f"Its name says {expected}, its content is {media_type}.")
    return {"ok": dataclasses.asdict(parsed)}, b""


def _by_type(path: Path, media_type: str, max_characters: int, request: dict[str, Any]) -> Parsed:
    if media_type == detect.PDF:
        from ingestion.parsing import ocr, pdf  # noqa: PLC0415 - a start imports one format only

        language = request.get("ocr_language")
        # What is left of the time is for the pages that have a text of their own.
        reader = ocr.Ocr(language, 0.7 * request["seconds"]) if language else None
        return pdf.parse(path, max_characters, reader)
    if media_type == detect.HTML:
        from ingestion.parsing import html  # noqa: PLC0415

        return html.parse(path, max_characters)
    if media_type == detect.DOCX:
        from ingestion.parsing import docx  # noqa: PLC0415

        return docx.parse(path, max_characters)
    from ingestion.parsing import text  # noqa: PLC0415

    return text.parse(path, media_type, max_characters)


def _draw(request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    from ingestion.parsing import drawing  # noqa: PLC0415

    image = drawing.draw(Path(request["path"]), request["number"], request["width"])
    return {"ok": {}}, image


def _locate(request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    from ingestion.parsing import drawing  # noqa: PLC0415

    page = drawing.locate(
        Path(request["path"]), request["number"], request["spans"], request["frozen"]
    )
    return {"ok": page}, b""


def _feed(request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    from ingestion.parsing import feed  # noqa: PLC0415

    return {"ok": feed.read(Path(request["path"]), content_type=request["content_type"])}, b""


def _article(request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    from ingestion.parsing import article  # noqa: PLC0415

    return {"ok": article.extract(Path(request["path"]), request["url"])}, b""


_VERBS = {
    "parse": _parse,
    "draw": _draw,
    "locate": _locate,
    "feed": _feed,
    "article": _article,
}

if __name__ == "__main__":
    sys.exit(main())
