"""The lookup `field__any_of=ids`: as `in`, but all ids are one parameter.

A list of hundreds of ids is then written and planned at once; with `in`, that took longer than to
find the rows. For integers only.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import BigAutoField, BigIntegerField, ForeignKey, Lookup


@BigIntegerField.register_lookup
@BigAutoField.register_lookup
@ForeignKey.register_lookup
class AnyOf(Lookup):
    lookup_name = "any_of"
    prepare_rhs = False

    def get_db_prep_lookup(self, value: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:  # noqa: ARG002
        return "%s", (as_array(value),)

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        left, parameters = self.process_lhs(compiler, connection)
        right, values = self.process_rhs(compiler, connection)
        return f"{left} = ANY({right}::bigint[])", (*parameters, *values)


def as_array(ids: Iterable[Any]) -> str:
    """The text of an array: to write each number by itself took longer than to find the rows."""
    return "{" + ",".join(str(int(each)) for each in ids) + "}"
