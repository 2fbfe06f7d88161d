"""Bytes to text with page and section offsets; one file per format, no Django.

Callers use `isolation.parse` and `rendering`, which run the parsers in child processes.
"""

from ingestion.parsing.parsed import Parsed, ParserFailed, Section, Unreadable

__all__ = ["Parsed", "ParserFailed", "Section", "Unreadable"]
