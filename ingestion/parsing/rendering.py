"""Page images and highlight rectangles of stored PDFs, made in a child process with limits."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ingestion.parsing import isolation

_SECONDS = 20
_MEMORY_MB = 2048
# However many pages are asked for, no more children at once than there are processors.
_places = threading.BoundedSemaphore(max(2, os.cpu_count() or 2))


@dataclass(frozen=True, slots=True)
class Rectangle:
    """A box on a page as it is shown: fractions of its width and height, y down."""

    left: float
    top: float
    width: float
    height: float


def page_image(path: Path, number: int, width: int) -> bytes:
    """PNG of page `number` (from 1) at this width in pixels, bounded to 16 million pixels.

    Raises Unreadable (no such page, damaged) and ParserFailed (crash, time, memory).
    """
    request = {"verb": "draw", "path": str(path.resolve()), "number": number, "width": width}
    return _ask(request)[1]


def page_rectangles(
    path: Path, number: int, spans: Sequence[tuple[int, int]], frozen: str
) -> list[Rectangle]:
    """One rectangle per line of each span; spans are offsets into `frozen`, the page's own part
    of the frozen text, from which running lines may be missing.

    Empty where the span holds nothing that is drawn. Raises as `page_image` does.
    """
    request = {
        "verb": "locate",
        "path": str(path.resolve()),
        "number": number,
        "spans": [list(span) for span in spans],
        "frozen": frozen,
    }
    reply, _ = _ask(request)
    return [Rectangle(*box) for box in reply["rectangles"]]


def _ask(request: Mapping[str, Any]) -> tuple[dict[str, Any], bytes]:
    with _places:
        return isolation.ask(request, seconds=_SECONDS, memory_mb=_MEMORY_MB)
