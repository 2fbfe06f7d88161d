"""The menus over a feed: what it can be confined to, as far as this person may know of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import lru_cache

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from docintel.compiled_queries import CompiledQuery, Given
from feed import known
from feed.models import Follow
from feed.walking import PERIODS, Filters
from ingestion.models import Document, Source
from ingestion.querysets import User
from ingestion.seeing import SOURCES

LONGEST_NAME = 40
# Of the companies that are followed, the last ones.
MOST_COMPANIES = 50
Options = tuple[tuple[str, str], ...]  # value, label
_SOURCES = CompiledQuery(
    lambda: Source.objects.filter(pk__any_of=SOURCES).order_by("name").values_list("pk", "name")
)
_FOLLOWED_LAST = CompiledQuery(
    lambda: (
        Follow.objects.filter(user=Given("person"), muted=False, company__isnull=False)
        .order_by("-created_at", "-pk")
        .values_list("company", flat=True)[:MOST_COMPANIES]
    )
)


@dataclass(frozen=True, slots=True)
class Menu:
    """`options` is markup; the first of them, with an empty value, says `everything`."""

    name: str
    label: str
    options: SafeString


def menus(user: User, filters: Filters) -> list[Menu]:
    """In the order of the page; a handful of queries."""
    sources = _SOURCES(**Source.objects.given_for(user))
    period = [str(filters.days)] if filters.days else []
    return [
        _menu("company", "Company", "All companies", _companies(user, filters), filters.companies),
        _menu("topic", "Topic", "All topics", known.topic_names().items(), filters.topics),
        _menu("kind", "Type", "All types", Document.Kind.choices, filters.kinds),
        _menu("source", "Source", "All sources", sources, filters.sources),
        _menu("period", "Period", "Any time", PERIODS.items(), period),
    ]  # fmt: skip


def _companies(user: User, filters: Filters) -> list[tuple[int, str]]:
    """Those chosen, and those followed last."""
    wanted = {*_FOLLOWED_LAST(person=user.pk), *filters.companies}
    found = known.known_of(wanted, user)
    return sorted(((pk, row.name) for pk, row in found.items()), key=lambda pair: pair[1])


def _menu(
    name: str, label: str, everything: str,
    options: Iterable[tuple[object, object]], chosen: Collection[object],
) -> Menu:  # fmt: skip
    found = (("", everything), *((str(value), str(label)) for value, label in options))
    markup = _options(found)
    for value in chosen:
        plain = format_html('<option value="{}">', value)
        markup = mark_safe(markup.replace(plain, f"{plain[:-1]} selected>"))  # noqa: S308  both are
    return Menu(name, label, markup)


@lru_cache(maxsize=64)
def _options(options: Options) -> SafeString:
    """Kept for whoever has the same ones: a firm has hundreds of sources."""
    return format_html_join("", '<option value="{}">{}</option>', (
        (value, label if len(label) <= LONGEST_NAME else f"{label[: LONGEST_NAME - 1]}…")
        for value, label in options
    ))  # fmt: skip
