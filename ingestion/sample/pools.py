"""Standing paragraphs shared by filings and calls, each in several versions by different pens."""

from __future__ import annotations

import tomllib
import zlib
from functools import cache
from typing import Any

from ingestion.sample.companies import HERE


@cache
def pool(name: str) -> dict[str, Any]:
    """The parsed pool file ``pools/<name>.toml``."""
    return tomllib.loads((HERE / "pools" / f"{name}.toml").read_text(encoding="utf-8"))


def pick(options: list[str], *seed: str) -> str:
    """One of ``options``, always the same for the same seed words."""
    return options[zlib.crc32("/".join(seed).encode()) % len(options)]


def version(name: str, path: str, *seed: str) -> str:
    """The version of the paragraph at dotted ``path`` that the seed selects."""
    node: Any = pool(name)
    for part in path.split("."):
        node = node[part]
    return " ".join(pick(node["text"] if isinstance(node, dict) else node, path, *seed).split())
