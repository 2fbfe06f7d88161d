"""The article of a web page, without its menus, notices and what no reader sees, as plain HTML.

Trap: a page on which no article is found gives an empty text; its caller keeps the page itself.
"""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Any

import lxml.html
import trafilatura
from lxml import etree

from ingestion.parsing import hidden

LARGEST_PAGE = 8 * 1_048_576
# Less than this is a notice or a cookie banner, not an article.
SHORTEST_ARTICLE = 200
# Not seen, yet they tell the title and the date.
_HELPFUL = frozenset(["head", "title", "meta", "link", "script", "style"])


def extract(path: Path, url: str) -> dict[str, Any]:
    """{"html", "title", "published_on"} of the page in this file; "html" is empty without one.

    `html` is a whole page of headings, paragraphs, lists and tables; the date is ISO or empty.
    """
    nothing = {"html": "", "title": "", "published_on": ""}
    with path.open("rb") as file:
        data = file.read(LARGEST_PAGE + 1)
    if len(data) > LARGEST_PAGE:
        return nothing
    page = trafilatura.load_html(data)
    if page is None:
        return nothing
    _drop_hidden(page)
    found = trafilatura.bare_extraction(
        page, url=url or None, include_tables=True, include_comments=False, with_metadata=True
    )
    if found is None:
        return nothing
    values = found if isinstance(found, dict) else found.as_dict()
    body = trafilatura.extract(
        page, url=url or None, output_format="html", include_tables=True, include_comments=False
    )
    if not body or len(_words(body)) < SHORTEST_ARTICLE:
        return nothing
    title = " ".join(str(values.get("title") or "").split())
    return {
        "html": _page(title, body),
        "title": title[:500],
        "published_on": str(values.get("date") or "")[:10],
    }


def _drop_hidden(page: Any) -> None:
    """Text that is there for machines only may try to steer one."""
    sight = hidden.Sight(page)
    looks: list[hidden.Look | None] = [sight.start]
    gone: list[Any] = []
    walk = etree.iterwalk(page, events=("start", "end"))
    for event, element in walk:
        if event == "end":
            looks.pop()
            look = looks[-1]
            if look is not None and not look.seen:
                element.tail = None
            continue
        look = looks[-1]
        if isinstance(element.tag, str) and element.tag not in _HELPFUL:
            look = sight.look(element, look) if look is not None else None
            if look is None:
                gone.append(element)
            elif not look.seen:
                element.text = None
        looks.append(look)
        if look is None:
            walk.skip_subtree()
    for element in gone:
        if element.getparent() is not None:
            element.drop_tree()


def _words(body: str) -> str:
    tree: Any = lxml.html.fromstring(body)
    return " ".join(str(tree.text_content()).split())


def _page(title: str, body: str) -> str:
    """With its title as heading, unless the article begins with that itself."""
    body = re.sub(r"^\s*<html>\s*<body>|</body>\s*</html>\s*$", "", body)
    name = html.escape(title)
    first = re.match(r"\s*<h1>(.*?)</h1>", body, re.DOTALL)
    heading = "" if first or not title else f"<h1>{name}</h1>\n"
    head = f'<head><meta charset="utf-8"><title>{name}</title></head>'
    return f"<!doctype html>\n<html>{head}\n<body>\n{heading}{body.strip()}\n</body></html>\n"
