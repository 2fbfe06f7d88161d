"""The sources that one person may see, looked up once for one answer.

Within `seen_once` all that is asked for a person goes by one look: a page is of one moment. Trap:
only around what is answered at once; what takes seconds has to look again.

`SOMEBODY` stands in a compiled query for whoever asks: what may be seen is named by each call.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

from django.contrib.auth.models import AnonymousUser

from docintel.compiled_queries import Given

T = TypeVar("T")
_looks: ContextVar[dict[Hashable, Any] | None] = ContextVar("sources seen", default=None)

# What SOMEBODY may see.
SOURCES: Any = Given("sources")


class Somebody(AnonymousUser):
    """Where no query is compiled, nobody: one who may see nothing."""

    pk: Any = Given("person")


SOMEBODY = Somebody()


@contextmanager
def seen_once() -> Iterator[None]:
    """Begins an answer; it also decorates a function that gives one."""
    token = _looks.set({})
    try:
        yield
    finally:
        _looks.reset(token)


def seen_by(person: int | None, what: str, look: Callable[[], T]) -> T:
    """What `look` gives; within one answer, what it gave for this person before."""
    looks = _looks.get()
    if looks is None or person is None:
        return look()
    if (person, what) not in looks:
        looks[person, what] = look()
    found: T = looks[person, what]
    return found
