"""What the queue calls: each looks for pending rows itself, so repeating a call does no harm."""

from __future__ import annotations

from ingestion import (
    comparing_sources,
    embedding_beside,
    fetching,
    index_health,
    lexical,
    linking_older,
    near_duplicates,
    pipeline,
    polling,
    revising,
)


def parse_pending() -> None:
    pipeline.take_through()


def index_pending() -> None:
    pipeline.index_pending()


def embed_pending() -> None:
    pipeline.embed_pending()


def recognise_pending() -> None:
    pipeline.recognise_pending()


def link_older() -> None:
    linking_older.link_older()


def classify_pending() -> None:
    pipeline.classify_pending()


def units_pending() -> None:
    pipeline.units_pending()


def reembed_pending() -> None:
    embedding_beside.make_pending()


def scan_folders() -> None:
    fetching.scan_folders()


def check_indexes() -> None:
    index_health.check_and_repair()


def refresh_statistics() -> None:
    lexical.refresh_if_changed()


def poll_sources() -> None:
    polling.poll_sources()


def mend_revisions() -> None:
    revising.mend()
    near_duplicates.release_stranded()


def sketch_pending() -> None:
    near_duplicates.sketch_pending()


def compare_new_sources() -> None:
    comparing_sources.compare_new_sources()
