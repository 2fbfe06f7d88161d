"""Query sets whose SQL is written once, prepared in the database and asked again with other values.

To build a query set and to write its SQL takes Django longer than the database takes to answer it,
and to parse and plan that takes the database longer than to find the rows.
Trap: all that a query set is built from stays in its SQL for good, so whatever differs from one
call to the next, the time of day included, has to be a `Given`.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import psycopg
from django.core.exceptions import EmptyResultSet
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import Expression, QuerySet
from psycopg.sql import Literal

from docintel.any_of import as_array

PLACES = re.compile("%%|%s")


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
        rows, written, sql, wanted = self._written
        values = [_bound(given[each.name]) for each in wanted]
        compiler = copy.copy(written)
        compiler.connection = connections[DEFAULT_DB_ALIAS]
        compiler.execute_sql = lambda *_, **__: [_prepared(compiler, sql, values)]
        query = _Instead(rows.query, get_compiler=lambda *_, **__: compiler)
        return list(rows._iterable_class(_Instead(rows, query=query)))

    @cached_property
    def _written(self) -> tuple[Any, Any, str, list[Given]] | None:
        """None where Django knows without asking that there is no row."""
        rows: Any = self._build()
        compiler = rows.query.get_compiler(DEFAULT_DB_ALIAS)
        try:
            sql, parameters = compiler.as_sql()
        except EmptyResultSet:
            return None
        return rows, compiler, *_with_constants(sql, parameters)


class _Instead:
    """Something of Django's, but for what is given in place of its own."""

    def __init__(self, of: object, **given: object) -> None:
        self._of = of
        self.__dict__.update(given)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._of, name)


def _with_constants(sql: str, parameters: Sequence[Any]) -> tuple[str, list[Given]]:
    """The SQL with the values in it that never differ, and what is left to be given, in order.

    A condition of a partial index, for one, has to be in the SQL itself.
    """
    left, queue = [], iter(parameters)
    server = connections[DEFAULT_DB_ALIAS]
    server.ensure_connection()

    def write(place: re.Match[str]) -> str:
        if place[0] == "%%":
            return "%%"
        value = next(queue)
        if isinstance(value, Given):
            left.append(value)
            return "%s"
        return Literal(value).as_string(server.connection).replace("%", "%%")

    return PLACES.sub(write, sql), left


class _PreparedCursor(psycopg.Cursor[tuple[Any, ...]]):
    """Prepares what it is asked, unlike Django's, which writes values into the SQL."""

    def _send_query_prepared(self, name: bytes, pgq: Any, **options: Any) -> None:
        # Psycopg keeps no query that is prepared; Django's log of queries asks for it.
        self._query = pgq
        super()._send_query_prepared(name, pgq, **options)


def _prepared(compiler: Any, sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    """All rows of a statement that this connection has parsed and planned when first asked."""
    server = compiler.connection
    with server.cursor() as cursor:
        # Within Django's wrapper, which counts and logs.
        cursor.cursor = _PreparedCursor(server.connection)
        cursor.execute(sql, values)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    # Of what is distinct, columns that it is ordered by come after those that were asked for.
    return [row[: compiler.col_count] for row in rows] if compiler.has_extra_select else rows


def _bound(value: Any) -> Any:
    return as_array(value) if isinstance(value, list | tuple | set | frozenset) else value
