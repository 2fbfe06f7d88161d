"""How templates show passages."""

from __future__ import annotations

from urllib.parse import urlencode

from django import template
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe

from ingestion.models import Document
from qa.passages import Passage

register = template.Library()


@register.filter
def excerpted(passage: Passage) -> SafeString:
    """The excerpt, escaped, its highlights in <mark>; ellipses where the passage goes on."""
    parts, at = [], 0
    for start, end in passage.highlights:
        parts.append(escape(passage.excerpt[at:start]))
        parts.append(format_html("<mark>{}</mark>", passage.excerpt[start:end]))
        at = end
    parts.append(escape(passage.excerpt[at:]))
    before = "… " if passage.excerpt_start > passage.start else ""
    after = " …" if passage.excerpt_start + len(passage.excerpt) < passage.end else ""
    return mark_safe(before + "".join(parts) + after)  # noqa: S308  every part is escaped above


@register.simple_tag
def passage_url(document: Document, passage: Passage, question: str, view: str = "") -> str:
    """The document opened at this passage; the excerpt is what the reader is led to."""
    pairs: dict[str, str | int] = {"q": question, "start": passage.start, "end": passage.end}
    if passage.excerpt:
        pairs["from"] = passage.excerpt_start
        pairs["to"] = passage.excerpt_start + len(passage.excerpt)
    if view:
        pairs["view"] = view
    return f"{document.get_absolute_url()}?{urlencode(pairs)}#passage"


@register.filter
def spaced(name: str) -> str:
    """The name of a step as words: "embedding_wait" as "embedding wait"."""
    return name.replace("_", " ")
