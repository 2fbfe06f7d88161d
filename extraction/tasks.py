"""What the queue calls: each looks for pending rows itself, so repeating a call does no harm."""

from __future__ import annotations

from extraction import catching_up, tidying


def extract_pending() -> None:
    catching_up.extract_pending()


def tidy() -> None:
    tidying.tidy()
