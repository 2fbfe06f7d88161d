"""A fictional, deterministic corpus of research documents with gold questions; needs no Django."""
