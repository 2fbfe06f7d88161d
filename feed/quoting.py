"""The two lines that a card quotes of its document, from where something is said."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.db import connection

from docintel.any_of import as_array
from docintel.compiled_queries import CompiledQuery, Given
from feed.choosing_leads import sentences
from ingestion.models import Mention
from ingestion.sentence_windows import ROW, is_ended

LONGEST_PASSAGE = 260
# The first passage of each document that holds the offset asked for.
_AT = """
SELECT wanted.document, wanted.place, chunk.start, substr(chunk.body, chunk.header_length + 1)
FROM unnest(%s::bigint[], %s::bigint[]) AS wanted(document, place)
CROSS JOIN LATERAL (
    SELECT body, header_length, start FROM ingestion_chunk
    WHERE document_id = wanted.document AND start <= wanted.place AND "end" > wanted.place
    ORDER BY ordinal LIMIT 1
) chunk
"""
_NAMED = CompiledQuery(
    lambda: (
        Mention.objects.filter(
            document__any_of=Given("documents"), company__any_of=Given("companies")
        )
        .order_by("-start")
        .values_list("document", "start")
    )
)


def first_mentions(leads: Mapping[int, int], companies: Iterable[int]) -> dict[int, int]:
    """Document -> where it first names one of these companies, from where it begins to speak on.

    `leads` are those beginnings; before them a name stands on a cover or in a title.
    """
    named = _NAMED(documents=list(leads), companies=set(companies))
    # The last one of each that is put in is the first in the text.
    return {pk: start for pk, start in named if start >= leads[pk]}


def sentences_at(places: Mapping[int, int], leads: Mapping[int, int]) -> dict[int, str]:
    """Document -> the sentence at this offset of its text, cut to what fits on two lines.

    None begins before the document's lead, so that no title is in one with it. The trap: whether
    somebody may read them the caller has found out.
    """
    with connection.cursor() as cursor:
        cursor.execute(_AT, [as_array(places), as_array(places.values())])
        return {
            pk: _sentence(text, place - start, max(0, leads[pk] - start))
            for pk, place, start, text in cursor.fetchall()
        }


def _sentence(text: str, offset: int, lead: int) -> str:
    """From the sentence around the offset on, up to a row of a table or a heading."""
    quoted: list[str] = []
    for low, high in sentences(text):
        words = " ".join(text[max(low, lead) : high].split())
        if high <= offset or (quoted and (ROW in words or not is_ended(words))):
            if quoted:
                break
            continue
        quoted.append(words)
    said = " ".join(quoted)
    return said if len(said) <= LONGEST_PASSAGE else f"{said[:LONGEST_PASSAGE].rsplit(' ', 1)[0]} …"
