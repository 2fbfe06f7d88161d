"""Markup that follows from its own values alone: made once, kept for whoever has the same ones.

Trap: a template given to `kept` may read nothing but these values and the page's token.
"""

from __future__ import annotations

import secrets
from collections.abc import Hashable, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any
from uuid import UUID, uuid4

from django import template
from django.template.context import Context
from django.template.loader import render_to_string
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from feed.explaining import Thing

register = template.Library()
# Stands for the page's token, which is another one on every page.
_TOKEN = secrets.token_hex(16)
# Stand for what is filled in afterwards; nobody can know them, so no name has one in it.
_NUMBER = str(10**15 + secrets.randbelow(10**15))
_NAME, _DOCUMENT = secrets.token_hex(8), uuid4()
LONGEST_NAME = 40  # As in the template.
MOST_KEPT = 8_192


@register.simple_tag(takes_context=True)
def kept(context: Context, name: str, **values: Hashable) -> SafeString:
    """The template of this name with these values, which make the key and so cannot be stale."""
    return mark_safe(_with_token(context, _markup(name, tuple(values.items()))))  # noqa: S308  is escaped


@register.simple_tag(takes_context=True)
def save_or_not(context: Context, public_id: UUID, is_saved: bool) -> SafeString:
    """The control by which a page keeps a document for later."""
    model = _markup("feed/_save.html", (("public_id", _DOCUMENT), ("is_saved", is_saved)))
    markup = model.replace(str(_DOCUMENT), str(public_id))
    return mark_safe(_with_token(context, markup))  # noqa: S308  is escaped


@register.simple_tag(takes_context=True)
def follow_or_mute(context: Context, thing: Thing) -> SafeString:
    """The control by which a page follows or mutes one thing."""
    return mark_safe(_with_token(context, _control(thing)))  # noqa: S308  is escaped


@register.simple_tag(takes_context=True)
def follow_or_mute_each(context: Context, things: Sequence[Thing]) -> SafeString:
    """Items of a list. A page has well over a hundred; what is the same on all is made once."""
    items = "".join(f"<li>{_control(thing)}</li>" for thing in things)
    return mark_safe(_with_token(context, items))  # noqa: S308  is escaped


def _with_token(context: Context, markup: str) -> str:
    return markup.replace(_TOKEN, escape(str(context.get("csrf_token", ""))))


@lru_cache(maxsize=MOST_KEPT)
def _control(thing: Thing) -> str:
    """One is rendered for each kind and stance; names that would be cut short, each by itself."""
    if len(thing.label) > LONGEST_NAME:
        return _markup("feed/_thing.html", (("thing", thing),))
    model = replace(thing, value=_NUMBER, label=_NAME)
    made = _markup("feed/_thing.html", (("thing", model),))
    return made.replace(_NUMBER, escape(thing.value)).replace(_NAME, escape(thing.label))


@lru_cache(maxsize=MOST_KEPT)
def _markup(name: str, values: tuple[tuple[str, Hashable], ...]) -> str:
    context: dict[str, Any] = {**dict(values), "csrf_token": _TOKEN}
    return render_to_string(name, context)
