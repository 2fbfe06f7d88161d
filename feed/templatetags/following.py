"""The control by which a page follows or mutes one thing."""

from __future__ import annotations

import secrets
from functools import lru_cache
from typing import Any

from django import template
from django.template.context import Context
from django.template.loader import render_to_string
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from feed.explaining import Thing

register = template.Library()
# Stands for the page's token, which is another one on every page.
_TOKEN = secrets.token_hex(16)


@register.simple_tag(takes_context=True)
def follow_or_mute(context: Context, thing: Thing) -> SafeString:
    """A page has well over a hundred of them; what is the same on every page is made once."""
    token = escape(str(context.get("csrf_token", "")))
    return mark_safe(_markup(thing).replace(_TOKEN, token))  # noqa: S308  both are escaped


@lru_cache(maxsize=4_096)
def _markup(thing: Thing) -> str:
    context: dict[str, Any] = {"thing": thing, "csrf_token": _TOKEN}
    return render_to_string("feed/_thing.html", context)
