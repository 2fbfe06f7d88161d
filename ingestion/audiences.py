"""Whether everybody who may see one source may see another one too.

What is shown in the place of a document must be open to all who could see that document.
"""

from __future__ import annotations

from collections.abc import Iterable

from ingestion.models import Source


def covers(wider: int, narrower: int) -> bool:
    """Whether whoever may see the source `narrower` may see `wider` (source ids)."""
    return wider == narrower or (wider, narrower) in covering([(wider, narrower)])


def covering(pairs: Iterable[tuple[int, int]]) -> set[tuple[int, int]]:
    """Those of the pairs (wider, narrower) that are so; one query however many pairs."""
    asked = set(pairs)
    groups: dict[int, set[int]] = {}
    rows = Source.objects.filter(pk__in={pk for pair in asked for pk in pair})
    for source, group in rows.values_list("pk", "groups"):
        groups.setdefault(source, set())
        if group is not None:
            groups[source].add(group)
    return {
        (wider, narrower)
        for wider, narrower in asked
        if wider == narrower
        or not groups[wider]
        # A source without groups is open to everyone.
        or (groups[narrower] and groups[narrower] <= groups[wider])
    }
