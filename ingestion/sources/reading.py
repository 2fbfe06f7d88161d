"""Feeds and pages of strangers read in the parsing child, so that none can hang a worker."""

from __future__ import annotations

import html
import logging
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from ingestion.parsing import isolation
from ingestion.parsing.parsed import ParserFailed, Unreadable
from ingestion.sources.items import Unusable

logger = logging.getLogger(__name__)

SECONDS = 60
MEMORY_MB = 1536


def read_isolated(request: Mapping[str, Any], body: IO[bytes]) -> dict[str, Any]:
    """The child's answer about these bytes; Unusable in words if there is none."""
    with tempfile.NamedTemporaryFile() as file:
        body.seek(0)
        shutil.copyfileobj(body, file)
        file.flush()
        question = {**request, "path": str(Path(file.name).resolve())}
        try:
            answer, _ = isolation.ask(question, seconds=SECONDS, memory_mb=MEMORY_MB)
        except (Unreadable, ParserFailed) as error:
            raise Unusable(str(error)) from error
    return answer


def article_of(body: IO[bytes], url: str) -> dict[str, Any]:
    """{"html", "title", "published_on"}; "html" is empty where no article was found."""
    try:
        return read_isolated({"verb": "article", "url": url}, body)
    except Unusable as error:
        logger.warning("no article could be read from %s: %s", url, error)
        # The page itself goes on to the parser, which says what is wrong with it.
        return {"html": "", "title": "", "published_on": ""}


def text_page(title: str, body: str) -> bytes:
    """A page of HTML in UTF-8 around a piece of HTML."""
    name = html.escape(title)
    heading = f"<h1>{name}</h1>\n" if title else ""
    head = f'<head><meta charset="utf-8"><title>{name}</title></head>'
    page = f"<!doctype html>\n<html>{head}\n<body>\n{heading}{body}\n</body></html>\n"
    return page.encode("utf-8", "replace")
