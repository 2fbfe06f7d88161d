"""Query sets whose SQL is written once and asked again with other values.

To build a query set and to write its SQL takes Django longer than the database takes to answer it.
Trap: all that a query set is built from stays in its SQL for good, so whatever differs from one
call to the next, the time of day included, has to be a `Given`.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import Expression, QuerySet

from docintel.any_of import as_array


class Given(Expression):
    """A value that each call names: `filter(user=Given("person"))`, `pk__any_of=Given("ids")`."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:  # noqa: ARG002
        return "%s", (self,)


class CompiledQuery:
    """What `build` returns, for the values of each call: rows as the query set itself has them.

    `build` is called once, when it is first asked; nothing is prefetched.
    """

    def __init__(self, build: Callable[[], QuerySet[Any, Any]]) -> None:
        self._build = build

    def __call__(self, **given: Any) -> list[Any]:
        """All rows. Raises KeyError where a value lacks."""
        if self._written is None:
            return []
        rows, written, sql, parameters = self._written
        bound = tuple(_bound(each, given) for each in parameters)
        compiler = copy.copy(written)
        compiler.connection = connections[DEFAULT_DB_ALIAS]
        compiler.as_sql = lambda *_, **__: (sql, bound)
        query = _Instead(rows.query, get_compiler=lambda *_, **__: compiler)
        return list(rows._iterable_class(_Instead(rows, query=query)))

    @cached_property
    def _written(self) -> tuple[Any, Any, str, Sequence[Any]] | None:
        """None where Django knows without asking that there is no row."""
        rows: Any = self._build()
        compiler = rows.query.get_compiler(DEFAULT_DB_ALIAS)
        try:
            sql, parameters = compiler.as_sql()
        except EmptyResultSet:
            return None
        return rows, compiler, sql, parameters


class _Instead:
    """Something of Django's, but for what is given in place of its own."""

    def __init__(self, of: object, **given: object) -> None:
        self._of = of
        self.__dict__.update(given)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._of, name)


def _bound(parameter: Any, given: dict[str, Any]) -> Any:
    if not isinstance(parameter, Given):
        return parameter
    value = given[parameter.name]
    return as_array(value) if isinstance(value, list | tuple | set | frozenset) else value
