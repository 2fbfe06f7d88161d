"""A source changed by an operator: what it is, how often it is asked, and who may see it.

The trap: to open a restricted source is to publish its documents, so an operator may only narrow
who sees it; whoever may put people into groups may open it too.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, Group
from django.db import transaction

from docintel.scheduling import enqueue
from ingestion.models import Source
from ingestion.sources import POLLED

# Another place, another reader, or back after a pause: it is asked at once and in full.
ASKED_ANEW = frozenset({"location", "kind", "active"})
STARTED_OVER = frozenset(
    {
        *("etag", "last_modified", "last_error", "next_run_at", "rest_until", "failures", "notes"),
        *("claim", "claimed_until"),
    }
)


class Refused(Exception):
    """The source stays as it is; the message says why."""


def may_open(user: AbstractBaseUser | AnonymousUser) -> bool:
    """Whoever may put people into groups decides as well what a group may see."""
    return bool(getattr(user, "has_perm", lambda _: False)("auth.change_user"))


@transaction.atomic
def change(
    source: Source,
    user: AbstractBaseUser | AnonymousUser,
    groups: Collection[Group],
    **fields: Any,
) -> list[str]:
    """Write what changed; the names of the changed fields. Raises Refused in words."""
    changed = [name for name, value in fields.items() if getattr(source, name) != value]
    for name in changed:
        setattr(source, name, fields[name])
    if "kind" in changed and source.kind not in POLLED:
        raise Refused("Only feeds, pages, folders of mail and EDGAR are asked regularly.")
    same = Source.objects.filter(kind=source.kind, location=source.location).exclude(pk=source.pk)
    if {"kind", "location"} & set(changed) and same.exists():
        raise Refused("There is a source at this location already.")
    before, after = set(source.groups.all()), set(groups)
    if before and (not after or after - before) and not may_open(user):
        raise Refused(
            "Only an administrator may let more people see a source: to some, its documents "
            "would be new."
        )
    written = set(changed)
    if ASKED_ANEW & written:
        source.start_over()
        # Whoever asks it at this moment asks the old one; its answer is not kept.
        source.claim = source.claimed_until = None
        written |= STARTED_OVER
        enqueue("ingestion.tasks.poll_sources")
    source.save(update_fields=written)
    if before != after:
        source.groups.set(groups)
        changed.append("groups")
    return changed
