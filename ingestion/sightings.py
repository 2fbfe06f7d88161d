"""Documents as one person may know them: by the arrivals in sources this person may see.

The trap: a text that arrived first in a source hidden from this person is theirs to read once it
arrives in a visible one, but nothing may tell that somebody else had it. So such an arrival
stands for the original: it has the original's progress and is nobody's duplicate.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from django.db.models import Case, CharField, F, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Coalesce, Greatest

from docintel.compiled_queries import CompiledQuery, Given
from ingestion.models import Document, Source
from ingestion.querysets import DocumentQuerySet, User
from ingestion.seeing import SOMEBODY

STATES = {
    "received": "waiting to be parsed",
    "parsed": "its text is frozen",
    "searchable": "found by its words",
    "embedded": "found by its words and its meaning: done",
    "duplicate": "the same text had arrived before: done",
    "near_duplicate": "search shows nearly the same text in its place: done",
    "superseded": "a newer revision has taken its place in search",
    "withdrawn": "its source no longer has it, so search leaves it out",
    "quarantined": "given up after its last attempt; an operator can retry it",
    "dropped": "dropped by an operator",
}


def arrivals(user: User) -> DocumentQuerySet:
    """Arrivals in visible sources, annotated with what this person may know of them.

    `shown_state` (a key of STATES), `shown_original` (id of the document whose duplicate it is,
    or None), `shown_searchable_at`, `shown_embedded_at`, `shown_chunks`.
    """
    sources = Source.objects.ids_visible_to(user)
    visible = Document.objects.filter(source__any_of=sources)
    first = visible.filter(duplicate_of=OuterRef("duplicate_of")).order_by("pk").values("pk")[:1]
    original = Case(
        When(duplicate_of=None, then=None),
        When(duplicate_of__source__any_of=sources, then=F("duplicate_of")),
        default=Subquery(first),
    )
    documents = visible.annotate(first_shown=original).annotate(
        shown_original=Case(When(first_shown=F("pk"), then=None), default=F("first_shown")),
        shown_chunks=Coalesce("duplicate_of__chunk_count", "chunk_count"),
        shown_searchable_at=_stage_time("searchable_at"),
        shown_embedded_at=_stage_time("embedded_at"),
    )
    return documents.annotate(shown_state=_state())


def _plain(user: User) -> DocumentQuerySet:
    """The same arrivals without what `arrivals` adds, which costs more than to find few rows."""
    return Document.objects.filter(source__any_of=Source.objects.ids_visible_to(user))


def _stage_time(field: str) -> Case:
    # Not before it arrived: an earlier time would tell of an earlier arrival.
    inherited = Greatest(F(f"duplicate_of__{field}"), F("parsed_at"), F("received_at"))
    return Case(
        When(shown_original__isnull=False, then=None),
        When(duplicate_of__isnull=True, then=F(field)),
        When(**{f"duplicate_of__{field}__isnull": False}, then=inherited),
        default=None,
    )


def _state() -> Case:
    conditions: list[tuple[Q, str]] = [
        (Q(dropped_at__isnull=False), "dropped"),
        (Q(withdrawn_at__isnull=False), "withdrawn"),
        (Q(superseded_at__isnull=False), "superseded"),
        (Q(quarantined_at__isnull=False), "quarantined"),
        (Q(shown_original__isnull=False), "duplicate"),
        (Q(near_duplicate_of__isnull=False), "near_duplicate"),
        (Q(duplicate_of__near_duplicate_of__isnull=False), "near_duplicate"),
        (Q(shown_embedded_at__isnull=False), "embedded"),
        (Q(shown_searchable_at__isnull=False), "searchable"),
        (Q(parsed_at__isnull=False), "parsed"),
    ]
    return Case(
        *[When(condition, then=Value(state)) for condition, state in conditions],
        default=Value("received"),
        output_field=CharField(),
    )


def standing_for(
    originals: Iterable[int], user: User, *, columns: Sequence[str] = ()
) -> dict[int, Document]:
    """Original's id -> the arrival by which this person knows it; those they do not are missing.

    Two queries however many documents. The rows lack what `arrivals` annotates; of `columns`, where
    given, the others are read one by one when they are asked for.
    """
    wanted = set(originals)
    if not wanted:
        return {}
    found: dict[int, Document] = {}
    for row in _arrived(tuple(columns))(**Source.objects.given_for(user), originals=wanted):
        if row.pk in wanted and row.duplicate_of_id is None:
            found[row.pk] = row
        elif row.duplicate_of_id is not None:
            found.setdefault(row.duplicate_of_id, row)
    return found


@cache
def _arrived(columns: tuple[str, ...]) -> CompiledQuery:
    """What its source still says stands before what is superseded or withdrawn."""
    retired = Q(superseded_at__isnull=False) | Q(withdrawn_at__isnull=False)
    originals = Given("originals")
    of_them = Q(pk__any_of=originals) | Q(duplicate_of__any_of=originals)

    def rows() -> DocumentQuerySet:
        found = _with(columns, _plain(SOMEBODY).filter(of_them))
        return found.order_by(Case(When(retired, then=1), default=0), "pk")

    return CompiledQuery(rows)


@cache
def _near(columns: tuple[str, ...]) -> CompiledQuery:
    near = Q(near_duplicate_of__any_of=Given("originals"))
    return CompiledQuery(
        lambda: _with(columns, _plain(SOMEBODY).filter(near).living()).order_by("pk")
    )


def _with(columns: Sequence[str], rows: DocumentQuerySet) -> DocumentQuerySet:
    if not columns:
        return rows.listed()
    needed = ("duplicate_of", "near_duplicate_of", *columns)
    return rows.select_related("source").only(*needed)


def sightings(document: Any, user: User) -> DocumentQuerySet:
    """The other arrivals of the same text that this person may see, oldest first."""
    original = document.duplicate_of_id or document.pk
    same = Q(pk=original) | Q(duplicate_of=original)
    return arrivals(user).filter(same).exclude(pk=document.pk).listed().order_by("pk")


def nearly_the_same(
    originals: Iterable[int], user: User, *, columns: Sequence[str] = ()
) -> dict[int, list[Document]]:
    """Document's id -> the arrivals, visible to this person, that search shows it in place of.

    `columns` as in `standing_for`.
    """
    wanted = set(originals)
    if not wanted:
        return {}
    found: dict[int, list[Document]] = {}
    for row in _near(tuple(columns))(**Source.objects.given_for(user), originals=wanted):
        found.setdefault(row.near_duplicate_of_id or 0, []).append(row)
    return found
