"""The control by which a page follows or mutes one thing."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
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
    """One of them."""
    return mark_safe(_with_token(context, _markup(thing)))  # noqa: S308  is escaped


@register.simple_tag(takes_context=True)
def follow_or_mute_each(context: Context, things: Sequence[Thing]) -> SafeString:
    """Items of a list. A page has well over a hundred; what is the same on all is made once."""
    items = "".join(f"<li>{_markup(thing)}</li>" for thing in things)
    return mark_safe(_with_token(context, items))  # noqa: S308  is escaped


def _with_token(context: Context, markup: str) -> str:
    return markup.replace(_TOKEN, escape(str(context.get("csrf_token", ""))))


@lru_cache(maxsize=4_096)
def _markup(thing: Thing) -> str:
    context: dict[str, Any] = {"thing": thing, "csrf_token": _TOKEN}
    return render_to_string("feed/_thing.html", context)
