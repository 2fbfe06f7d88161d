"""The ranker of passages that comes with the code."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from docintel.lightgbm_text import BadTrees, Trees, read

BUNDLED = Path(__file__).with_name("ranker.txt")


@cache
def bundled() -> Trees:
    """The ranker that comes with the code. Raises BadTrees, also where there is none."""
    try:
        return read(BUNDLED.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadTrees(f"there is no bundled ranker: {error}") from error
