"""Notice that the BM25 index lost content in a crash, and build it again.

The index counts what it holds: entries in memory and in each segment. Deleted rows stay counted
until a vacuum, so fewer entries than rows is always a loss; after a server start a vacuum comes
first, that no deleted row hides one. The corpus size by which it weighs words can be lost by
itself, even in a clean shutdown; then all entries are there and nothing is found. One process at
a time checks; the others skip.
"""

from __future__ import annotations

import logging
import re
import time
from dataclasses import dataclass, replace
from datetime import timedelta

from django.db import DatabaseError, connection
from django.utils import timezone

from docintel import locking, measuring
from docintel.models import Measurement
from ingestion.models import Chunk
from ingestion.ranking import Bm25Distance

logger = logging.getLogger(__name__)

INDEX = "chunk_bm25"
TABLE = "ingestion_chunk"
CHECK = "bm25_check"
REBUILD = "bm25_rebuild_seconds"
LOCK = "check the keyword index"
# A rebuild that did not help is not repeated sooner than this.
REBUILD_EVERY = timedelta(hours=1)
PROBES = 3
# Passages of boilerplate resemble one another; the probed one must be among the best.
PROBE_DEPTH = 20
PROBE_CHARACTERS = 400
# The corpus size may lag behind; a smaller share than this makes common words of rare ones.
CORPUS_SHARE = 0.8
CORPUS_SIZE = re.compile(r"^\s*total_docs: (\d+)", re.MULTILINE)
ENTRIES = re.compile(r"^\s*documents: (\d+)|^\s*L\d+ Segment .*\bdocs=(\d+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Report:
    """What a check found: rows in the table, entries in the index, passages that it did not find.

    `rebuilt` says that the numbers are those after a rebuild.
    """

    rows: int
    entries: int
    missed: int = 0
    corpus: int = 0  # Passages that the index believes there are; deleting lowers it never.
    rebuilt: bool = False
    seconds: float = 0.0
    skipped: bool = False  # Another process is at it; the numbers mean nothing.

    @property
    def ok(self) -> bool:
        whole = self.entries >= self.rows and self.corpus >= self.rows * CORPUS_SHARE
        return self.skipped or (whole and not self.missed)

    def __str__(self) -> str:
        if self.skipped:
            return "another process is checking the index"
        lost = f", {self.missed} probed passages not found" if self.missed else ""
        if self.corpus < self.rows * CORPUS_SHARE:
            lost += f", words weighed as in a corpus of {self.corpus:,}"
        again = f", rebuilt in {self.seconds:.1f} s" if self.rebuilt else ""
        return f"{self.entries:,} entries for {self.rows:,} passages{lost}{again}"


def check_and_repair() -> Report:
    """Compare the index with its table and rebuild it where it lost something.

    Not within a transaction: the rebuild lets searches and writes go on meanwhile.
    """
    with locking.alone(LOCK) as alone:
        if not alone:
            return Report(0, 0, skipped=True)
        _drop_leftovers()
        started = _server_started()
        fresh = not _checked_since(started)
        if fresh:
            _execute(f"VACUUM {TABLE}")
        report = inspect()
        # What was deleted or vacuumed between the two counts looks like a loss for a moment.
        report = report if report.ok else inspect()
        if not report.ok and (fresh or not _rebuilt_lately()):
            logger.error("the BM25 index lost content (%s); rebuilding it", report)
            report = _rebuild(report)
            logger.warning("the BM25 index: %s", report)
        elif not report.ok:
            logger.error("the BM25 index is still short after a rebuild: %s", report)
        _record(report, started)
        return report


def inspect() -> Report:
    """What a check finds now; repairs nothing."""
    # Rows first: a row that is added meanwhile then counts as an entry only.
    rows = Chunk.objects.count()
    summary = _summary()
    return Report(
        rows, entries(summary), missed=_missed() if rows else 0, corpus=corpus_size(summary)
    )


def _summary() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT bm25_summarize_index(%s)", [INDEX])
        return str(cursor.fetchone()[0])


def entries(summary: str) -> int:
    """Passages that the index holds, in memory and in segments; dead ones too until a vacuum."""
    return sum(int(memory or segment) for memory, segment in ENTRIES.findall(summary))


def corpus_size(summary: str) -> int:
    """Passages that the index believes there are, by which it tells rare words from common ones."""
    found = CORPUS_SIZE.search(summary)
    return int(found[1]) if found else 0


def _missed() -> int:
    """How many passages, of the latest and of the earliest, are not found by their own words.

    The latest may have come after a loss, the earliest before it.
    """
    rows = Chunk.objects.values_list("pk", "body")
    probed = dict([*rows.order_by("-pk")[:PROBES], *rows.order_by("pk")[:PROBES]])
    return sum(not _found(pk, body) for pk, body in probed.items())


def _found(pk: int, body: str) -> bool:
    question = body[-PROBE_CHARACTERS:]
    rows = Chunk.objects.annotate(distance=Bm25Distance("body", question, INDEX))
    ranked = rows.order_by("distance").values_list("pk", "distance", "body")[:PROBE_DEPTH]
    best = [row for row in ranked if row[1]]
    return (
        any(found == pk or text[-PROBE_CHARACTERS:] == question for found, _, text in best)
        or (len(best) == PROBE_DEPTH and _distance(pk, question) >= best[-1][1])
        or not _has_words(question)
    )


def _distance(pk: int, question: str) -> float:
    """The passage scored by itself. In a long table, others may well come before it."""
    rows = Chunk.objects.filter(pk=pk).annotate(distance=Bm25Distance("body", question, INDEX))
    return float(rows.values_list("distance", flat=True).first() or 0.0)


def _has_words(question: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT length(to_tsvector('english', %s)) > 0", [question])
        return bool(cursor.fetchone()[0])


def _rebuild(before: Report) -> Report:
    start = time.perf_counter()
    try:
        _execute(f"REINDEX INDEX CONCURRENTLY {INDEX}")
    except DatabaseError:
        logger.exception("the index could not be rebuilt beside its use; rebuilding it in place")
        _drop_leftovers()
        _execute(f"REINDEX INDEX {INDEX}")
    seconds = time.perf_counter() - start
    measuring.record(REBUILD, seconds, rows=before.rows, entries=before.entries)
    after = inspect()
    return replace(after, rebuilt=True, seconds=seconds)


def _drop_leftovers() -> None:
    """What an interrupted concurrent rebuild left behind."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid"
            " WHERE indrelid = %s::regclass AND NOT indisvalid AND relname ~ %s",
            [TABLE, f"^{INDEX}_cc(new|old)"],
        )
        names = [name for (name,) in cursor.fetchall()]
    for name in names:
        _execute(f'DROP INDEX CONCURRENTLY IF EXISTS "{name}"')


def _record(report: Report, started: float) -> None:
    measuring.record(
        CHECK,
        float(report.ok),
        rows=report.rows,
        entries=report.entries,
        missed=report.missed,
        corpus=report.corpus,
        rebuilt=report.rebuilt,
        server_started=started,
    )


def _server_started() -> float:
    with connection.cursor() as cursor:
        cursor.execute("SELECT extract(epoch FROM pg_postmaster_start_time())::float8")
        return float(cursor.fetchone()[0])


def _checked_since(started: float) -> bool:
    last = Measurement.objects.filter(name=CHECK).order_by("-recorded_at").first()
    return last is not None and last.labels.get("server_started") == started


def _rebuilt_lately() -> bool:
    since = timezone.now() - REBUILD_EVERY
    return Measurement.objects.filter(name=REBUILD, recorded_at__gte=since).exists()


def _execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)
