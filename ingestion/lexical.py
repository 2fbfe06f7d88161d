"""BM25 by hand for narrow scopes: sparse vectors whose inner product is the BM25 score.

A chunk's vector holds the term-frequency part, a query's the idf part. Both take their words from
Postgres's `to_tsvector`, in English as the BM25 index does; words of another language are terms of
their own, "german:umsatz". Trap: a chunk's weights keep the average length that held when they
were written; it moves little, so they are not rewritten.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from functools import lru_cache

import numpy as np
from django.db import connection, transaction
from django.utils import timezone
from pgvector import SparseVector

from docintel.locking import one_at_a_time
from ingestion.language import CONFIGS, DEFAULT, OTHERS, SIMPLE, in_pairs, search_config
from ingestion.models import TERM_DIMENSIONS, Chunk, CorpusStatistics, TermStatistic

# Robertson and Zaragoza, "The Probabilistic Relevance Framework", 2009; the values of
# pg_textsearch, so that both plans rank alike.
K1 = 1.2
B = 0.75
# Words (stop words left out) of an average 512-token chunk of a filing; until the first refresh.
DEFAULT_AVERAGE_LENGTH = 250.0
# More chunks than this are sampled: frequencies of rare words then get coarse, which idf forgives.
MOST_CHUNKS_READ = 200_000
CHUNKS_MEASURED = 2_000
# Postgres stops recording positions of a word here; a chunk is too short to get near it.
MOST_TERMS = 16_000
MOST_STEMS_KEPT = 200_000
# Counting again reads millions of rows, and a few more passages change no idf.
CHANGED_SHARE = 0.02
OLDEST = timedelta(days=1)

WORDS_OF_EACH = """
    SELECT body.number, array_agg(word.lexeme), array_agg(cardinality(word.positions))
    FROM unnest(%s::text[]) WITH ORDINALITY AS body(text, number),
         unnest(to_tsvector(%s::regconfig, body.text)) AS word
    GROUP BY body.number
"""
STEMS = "SELECT word, ts_lexize(%s::regdictionary, word) FROM unnest(%s::text[]) AS word"
PRESENT = """
    SELECT code FROM unnest(%s::text[]) AS code
    WHERE EXISTS (SELECT FROM ingestion_document
                  WHERE language = code AND NOT (language IN ('', 'en')))
"""
AVERAGE_LENGTH = """
    SELECT avg((SELECT coalesce(sum(cardinality(positions)), 0)
                FROM unnest(to_tsvector('english', body))))
    FROM (SELECT body FROM ingestion_chunk {sample} LIMIT %s) AS sampled
"""


@lru_cache(maxsize=200_000)
def term_of(word: str) -> int:
    """The dimension of a word, 0-based: the first 22 bits of its BLAKE2b digest.

    Stored in the database, so it must never change. Two words may share one, rarely.
    """
    digest = hashlib.blake2b(word.encode(), digest_size=4).digest()
    return int.from_bytes(digest, "big") >> 10


def configs_present() -> list[str]:
    """The text-search configurations of the documents that there are, English always."""
    with connection.cursor() as cursor:
        cursor.execute(PRESENT, [sorted({*CONFIGS, *OTHERS} - {"en"})])
        found = {search_config(code) for (code,) in cursor.fetchall()}
    return sorted(found | {DEFAULT})


def words_of(texts: Sequence[str], config: str = DEFAULT) -> list[dict[int, int]]:
    """Per text, how often each of its terms occurs; one round trip for all of them.

    `config` is a Postgres text-search configuration; under "simple", Chinese, Japanese and Korean
    are read in pairs of characters.
    """
    counts: list[dict[int, int]] = [{} for _ in texts]
    prefix = "" if config == DEFAULT else f"{config}:"
    if config == SIMPLE:
        texts = [in_pairs(text) for text in texts]
    with connection.cursor() as cursor:
        # Postgres stores no NUL character.
        cursor.execute(WORDS_OF_EACH, [[text.replace("\0", " ") for text in texts], config])
        for number, words, frequencies in cursor.fetchall():
            count = counts[number - 1]
            for word, frequency in zip(words, frequencies, strict=True):
                term = term_of(prefix + word)
                count[term] = count.get(term, 0) + frequency
    return counts


def document_terms(bodies: Sequence[str], config: str = DEFAULT) -> list[SparseVector]:
    """Per chunk body, tf·(k1+1) / (tf + k1·(1-b+b·length/average)) of each of its terms."""
    average = CorpusStatistics.current().average_length or DEFAULT_AVERAGE_LENGTH
    vectors = []
    for count in words_of(bodies, config):
        norm = K1 * (1 - B + B * sum(count.values()) / average)
        weights = {term: tf * (K1 + 1) / (tf + norm) for term, tf in count.items()}
        if len(weights) > MOST_TERMS:
            rarest = sorted(weights, key=weights.__getitem__)[-MOST_TERMS:]
            weights = {term: weights[term] for term in rarest}
        vectors.append(SparseVector(weights, TERM_DIMENSIONS))
    return vectors


def query_terms(
    query: str,
    configs: Sequence[str] = (DEFAULT,),
    added: Sequence[tuple[str, float]] = (),
) -> SparseVector | None:
    """The idf of each of the query's terms, ln(1 + (N-df+0.5)/(df+0.5)); empty for stop words.

    Its words are looked up under each of `configs`; a chunk knows only those of its own. `added`
    are further words with a weight each, which count where the query lacks them, once, times that
    weight.

    A term that the statistics do not know gets the idf of one that occurs nowhere. None before
    the corpus was first counted: every word would weigh the same.
    """
    n_chunks = CorpusStatistics.current().n_chunks
    if not n_chunks:
        return None
    count: dict[int, float] = {}
    texts = [query, *(text for text, _ in added)]
    for config in configs:
        asked, *others = words_of(texts, config)
        count |= asked
        for words, (_, weight) in zip(others, added, strict=True):
            for term in words.keys() - asked.keys():
                count[term] = max(weight, count.get(term, 0.0))
    known = dict(
        TermStatistic.objects.filter(term__in=count).values_list("term", "document_frequency")
    )
    weights = {}
    for term, frequency in count.items():
        seen = min(known.get(term, 0), n_chunks)
        weights[term] = frequency * math.log(1 + (n_chunks - seen + 0.5) / (seen + 0.5))
    return SparseVector(weights, TERM_DIMENSIONS)


def rarest(phrase: str) -> int | None:
    """In about how many chunks the phrase's rarest word occurs; None if it has stop words only."""
    terms = words_of([phrase])[0]
    known = TermStatistic.objects.filter(term__in=terms).values_list(
        "document_frequency", flat=True
    )
    frequencies = list(known)
    if len(frequencies) < len(terms):
        return 0
    return min(frequencies, default=None)


def refresh_if_changed() -> bool:
    """Refresh once 2 % of the passages have come or gone since, or a day has passed."""
    known = CorpusStatistics.current()
    n_chunks = Chunk.objects.count()
    changed = abs(n_chunks - known.n_chunks) > CHANGED_SHARE * known.n_chunks
    old = n_chunks > 0 and timezone.now() - known.refreshed_at > OLDEST
    if changed or old:
        refresh_statistics()
    return changed or old


def refresh_statistics() -> CorpusStatistics:
    """Count the corpus again and replace its statistics in one transaction; minutes at millions.

    Searches keep reading the old numbers until it commits.
    """
    with transaction.atomic():
        one_at_a_time("word statistics")
        n_chunks = Chunk.objects.count()
        share = min(1.0, MOST_CHUNKS_READ / n_chunks) if n_chunks else 1.0
        frequencies, n_read = _document_frequencies(share)
        scale = n_chunks / n_read if n_read else 1.0
        TermStatistic.objects.all().delete()
        terms = np.flatnonzero(frequencies)
        with connection.cursor() as cursor, cursor.copy(_COPY_STATISTICS) as copy:
            for term, seen in zip(terms.tolist(), frequencies[terms].tolist(), strict=True):
                copy.write_row((term, min(n_chunks, max(1, round(seen * scale)))))
        statistics = CorpusStatistics(
            n_chunks=n_chunks, average_length=_average_length(n_chunks), refreshed_at=timezone.now()
        )
        statistics.save()
    return statistics


_COPY_STATISTICS = "COPY ingestion_termstatistic (term, document_frequency) FROM STDIN"


def _document_frequencies(share: float) -> tuple[np.ndarray, int]:
    """In how many chunks each dimension occurs, int64 (2^22,), and how many were read."""
    frequencies = np.zeros(TERM_DIMENSIONS, dtype=np.int64)
    n_read = 0
    for batch in _indices(share):
        n_read += len(batch)
        frequencies += np.bincount(np.concatenate(batch), minlength=TERM_DIMENSIONS)
    return frequencies, n_read


def _indices(share: float) -> Iterator[list[np.ndarray]]:
    """The dimensions that occur in each chunk, in batches, streamed.

    A sparsevec on the wire: dimensions, count, unused (int32), then indices, then float32 values.
    """
    # Whole pages of the table: row by row, a sample would read all of it.
    sample = "" if share >= 1 else f"TABLESAMPLE SYSTEM ({share * 100:.6f})"
    query = f"COPY (SELECT terms FROM ingestion_chunk {sample}) TO STDOUT (FORMAT BINARY)"  # noqa: S608
    with connection.cursor() as cursor, cursor.copy(query) as copy:
        batch = []
        for (row,) in copy.rows():
            n_terms = int.from_bytes(row[4:8], "big")
            batch.append(np.frombuffer(row, dtype=">i4", count=n_terms, offset=12))
            if len(batch) == 20_000:
                yield batch
                batch = []
        if batch:
            yield batch


def _average_length(n_chunks: int) -> float:
    """Words of an average chunk, from a sample: counting them takes Postgres a while."""
    share = 100.0 * 2 * CHUNKS_MEASURED / n_chunks if n_chunks else 100.0
    sample = "" if share >= 100 else f"TABLESAMPLE SYSTEM ({share:.6f})"
    with connection.cursor() as cursor:
        cursor.execute(AVERAGE_LENGTH.format(sample=sample), [CHUNKS_MEASURED])
        return float(cursor.fetchone()[0] or 0)


_known_stems: dict[tuple[str, str], str] = {}


def stems(words: Iterable[str], config: str = DEFAULT) -> dict[str, str]:
    """The stem of each word as keyword search knows it; empty for a stop word.

    Remembered per process, so that a page of results costs a round trip only for new words.
    """
    wanted = set(words)
    missing = sorted(word for word in wanted if (config, word) not in _known_stems)
    if missing:
        dictionary = SIMPLE if config == SIMPLE else f"{config}_stem"
        with connection.cursor() as cursor:
            cursor.execute(STEMS, [dictionary, missing])
            found = {(config, word): stem[0] if stem else "" for word, stem in cursor.fetchall()}
        if len(_known_stems) > MOST_STEMS_KEPT:
            _known_stems.clear()
        _known_stems.update(found)
    return {word: _known_stems.get((config, word), "") for word in wanted}
