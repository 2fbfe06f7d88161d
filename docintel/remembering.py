"""What is read once in a turn: within `read_once`, the same thing is fetched a single time.

A turn sees the state as it was when it first asked. Trap: it holds for the thread that entered it,
so a thread started inside reads for itself; and nothing that decides who may see what belongs here.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

T = TypeVar("T")
_memory: ContextVar[dict[Hashable, Any] | None] = ContextVar("read in this turn", default=None)


@contextmanager
def read_once() -> Iterator[None]:
    """Begins a turn; one within another is part of it."""
    if _memory.get() is not None:
        yield
        return
    token = _memory.set({})
    try:
        yield
    finally:
        _memory.reset(token)


def remembered(key: Hashable, read: Callable[[], T]) -> T:
    """What `read` gives; in a turn, what it gave for this key before. None is not remembered."""
    memory = _memory.get()
    if memory is None:
        return read()
    if key not in memory:
        found = read()
        if found is None:
            return found
        memory[key] = found
    kept: T = memory[key]
    return kept


def forget(*keys: Hashable) -> None:
    """They have changed."""
    memory = _memory.get() or {}
    for key in keys:
        memory.pop(key, None)
