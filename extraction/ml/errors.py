"""What can be wrong with a trained tagger's folder."""

from __future__ import annotations


class BadArtefact(Exception):
    """The folder cannot be served: damaged, incomplete, or made for another encoder or tokenizer.

    The message says which file and what is wrong with it.
    """
