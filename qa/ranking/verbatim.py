"""Passages that hold a short query word for word, which is what an exact look-up wants first."""

from __future__ import annotations

from ingestion.lexical import rarest
from ingestion.models import Chunk
from ingestion.querysets import DocumentQuerySet

# What is typed to find a name, a number or a phrase; a question in words stands in no document.
MOST_WORDS = 6
# Beyond this many passages with its rarest word, nobody means the words alone, and finding those
# that hold them together costs more than a search.
RARE = 2_000
MOST = 50
# Of a rank in the fusion: first by meaning and by words together counts half as much.
WEIGHT = 4.0


def holding_verbatim(text: str, searchable: DocumentQuerySet) -> list[int]:
    """Chunk ids in the order they were made, at most 50; none for a longer or a common text.

    Letter case and spacing do not count.
    """
    if len(text.split()) > MOST_WORDS:
        return []
    frequency = rarest(text)
    if not frequency or frequency > RARE:
        return []
    chunks = Chunk.objects.containing(text, by_index=True)
    of_searchable = chunks.of(searchable.order_by().values("pk"))
    return list(of_searchable.order_by("pk").values_list("pk", flat=True)[:MOST])
