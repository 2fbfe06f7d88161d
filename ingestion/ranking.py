"""The SQL that ranks chunks, and the planner settings that keep each plan to its index.

Trap: `Bm25Score` is only known while the BM25 index is being walked; under a sort it is 0.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import connection, transaction
from django.db.models import F, FloatField, Func, Value

from ingestion.language import has_runs

# A scope of at most this many chunks is scored exactly, row by row; a larger one by walking an
# index best first. Measured in docs/results.md.
NARROW_CHUNKS = 10_000

# Only a nested loop under an index scan is left, which ends as soon as the limit is reached. Else
# the planner may sort, not knowing that BM25 outside the index tokenises every row (0.25 ms each).
IN_INDEX_ORDER = {"enable_sort": "off", "enable_hashjoin": "off", "enable_mergejoin": "off"}
# Vectors that the filters drop are replaced by further ones, up to this many.
HNSW_MAX_SCAN_TUPLES = 20_000
HNSW_MIN_CANDIDATES = 100
HNSW_MOST_CANDIDATES = 1_000


@dataclass(frozen=True, slots=True)
class Scored:
    """A chunk and its score by one retriever; higher is better."""

    chunk_id: int
    score: float


class Bm25Distance(Func):
    """What the BM25 index orders by: the negative score of `body` for a question."""

    template = "(%(expressions)s)"
    arg_joiner = " <@> "
    output_field = FloatField()

    def __init__(self, field: str, question: str, index: str) -> None:
        query = Func(Value(question), Value(index), function="to_bm25query")
        super().__init__(F(field), query)


class Bm25Score(Func):
    """The score that the index has just found for this row; computing it again costs 0.3 ms."""

    template = "-bm25_get_current_score()"
    output_field = FloatField()


class OutsideIndex(Func):
    """A distance that no index can order by, so that every row in scope is compared."""

    template = "((%(expressions)s) + 0)"
    output_field = FloatField()


def phrase_pattern(phrase: str) -> str:
    """A Postgres regular expression for the phrase as whole words, any white space between."""
    words = phrase.split()
    pattern = r"\s+".join(re.sub(r"([^\w])", r"\\\1", word) for word in words)
    before = r"\m" if words and _ends_a_word(words[0][0]) else ""
    after = r"\M" if words and _ends_a_word(words[-1][-1]) else ""
    return f"{before}{pattern}{after}"


def _ends_a_word(character: str) -> bool:
    return character.isalnum() and not has_runs(character)


def hnsw_settings(limit: int) -> dict[str, str]:
    """For an HNSW scan that goes on until `limit` rows have passed the filters."""
    candidates = min(max(limit * 2, HNSW_MIN_CANDIDATES), HNSW_MOST_CANDIDATES)
    return {
        "hnsw.iterative_scan": "strict_order",
        "hnsw.ef_search": str(candidates),
        "hnsw.max_scan_tuples": str(HNSW_MAX_SCAN_TUPLES),
    }


@contextmanager
def planner(settings: dict[str, str]) -> Iterator[None]:
    """Settings for the queries of the block only, also inside a longer transaction."""
    calls = ", ".join("set_config(%s, %s, true)" for _ in settings)
    names = list(settings)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT " + ", ".join("current_setting(%s, true)" for _ in names), names)
        before = cursor.fetchone()
        cursor.execute(f"SELECT {calls}", [part for pair in settings.items() for part in pair])
        yield
        restored = [part for pair in zip(names, before, strict=True) for part in pair]
        cursor.execute(f"SELECT {calls}", restored)
