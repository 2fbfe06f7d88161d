"""Index classes for Meta.indexes that Django and pgvector do not bring."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.indexes import PostgresIndex
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


class Bm25Index(PostgresIndex):
    """A pg_textsearch BM25 index over one text column.

    Trap: versions up to 1.3.1 can lose the index's content in a crash, silently; the index is
    derived data, and `ingestion.index_health` compares it with its table and rebuilds it.
    """

    suffix = "bm25"

    def __init__(self, *expressions: Any, text_config: str = "english", **kwargs: Any) -> None:
        self.text_config = text_config
        super().__init__(*expressions, **kwargs)

    def deconstruct(self) -> tuple[str, Any, dict[str, Any]]:
        path, args, kwargs = super().deconstruct()
        kwargs["text_config"] = self.text_config
        return path, args, kwargs

    def get_with_params(self) -> list[str]:
        return [f"text_config = '{self.text_config}'"]

    def check_supported(self, schema_editor: BaseDatabaseSchemaEditor) -> None:
        """The extension is created by the migration that comes before the first index."""
