"""Bytes to text with page and section offsets; one file per format, no Django."""
