"""Tables of extraction, where Django looks for them."""

from __future__ import annotations

from extraction.result_tables import (
    BulkDocument,
    BulkRun,
    ExtractedRelation,
    ExtractedSpan,
    ExtractionRun,
)
from extraction.schema_tables import Schema, SchemaVersion
from extraction.word_tables import PersonsWord

__all__ = [
    "BulkDocument",
    "BulkRun",
    "ExtractedRelation",
    "ExtractedSpan",
    "ExtractionRun",
    "PersonsWord",
    "Schema",
    "SchemaVersion",
]
