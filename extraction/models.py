"""Tables of extraction, where Django looks for them."""

from __future__ import annotations

from extraction.schema_tables import Schema, SchemaVersion

__all__ = ["Schema", "SchemaVersion"]
