"""A query that is compiled once answers as the query set itself does, whatever it is asked with."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.db import ProgrammingError, connection, transaction
from django.db.models import Count, Q
from django.test.utils import CaptureQueriesContext

from docintel.compiled_queries import CompiledQuery, Given
from docintel.permissions_at_once import PermissionsAtOnce
from feed.item_tables import CHOSEN_BY
from feed.walking import EVERYTHING, Ranked, _queries
from ingestion.models import Document, Source
from ingestion.seeing import SOMEBODY
from tests.feed_corpus import company, known, source

pytestmark = pytest.mark.django_db


def test_rows_are_those_of_the_query_set_for_each_value() -> None:
    wires = [source(f"Wire {n}") for n in range(3)]
    made = [known(f"Story {n}", of=company("Acme"), wire=wires[n % 3]) for n in range(6)]
    rows = Document.objects.select_related("source").only("title", "source__name").order_by("pk")
    of_sources = CompiledQuery(lambda: rows.filter(source__any_of=Given("sources")))
    for wanted in ([wires[0].pk], [wires[1].pk, wires[2].pk], []):
        found = of_sources(sources=wanted)
        assert found == list(rows.filter(source__in=wanted))
        assert {row.source_id for row in found} == set(wanted)
        assert {row.source.name for row in found} == {w.name for w in wires if w.pk in wanted}
        assert all(row.get_deferred_fields() >= {"text", "sections"} for row in found)
    assert of_sources(sources=[wires[0].pk])[0].text == made[0].text

    titled = Q(title=Given("title")) | Q(pk__any_of=Given("ids"))
    values = CompiledQuery(
        lambda: Document.objects.filter(titled).order_by("pk").values_list("title", "pk")
    )
    assert values(title="Story 1", ids={made[4].pk}) == [
        ("Story 1", made[1].pk),
        ("Story 4", made[4].pk),
    ]
    assert values(title="Story 1' OR 1 = 1 --%s", ids=()) == []

    counts = CompiledQuery(
        lambda: (
            Source.objects.filter(pk=Given("one"))
            .annotate(n=Count("documents"))
            .values("name", "n")
        )
    )
    assert counts(one=wires[0].pk) == [{"name": "Wire 0", "n": 2}]
    names = CompiledQuery(
        lambda: Source.objects.filter(pk=Given("one")).values_list("name", flat=True)
    )
    assert [*names(one=wires[1].pk), *names(one=wires[2].pk)] == ["Wire 1", "Wire 2"]


def test_whatever_a_query_set_gives_is_given() -> None:
    wire = source("Wire")
    one = Q(pk=Given("one"))
    everything = CompiledQuery(lambda: Source.objects.filter(one).values())
    assert everything(one=wire.pk) == list(Source.objects.filter(pk=wire.pk).values())
    named = CompiledQuery(lambda: Source.objects.filter(one).values_list("name", named=True))
    assert [row.name for row in named(one=wire.pk)] == ["Wire"]
    newest = Source.objects.distinct().order_by("-created_at").values_list("name", flat=True)
    assert CompiledQuery(lambda: newest.filter(one))(one=wire.pk) == ["Wire"]
    nothing = CompiledQuery(lambda: Source.objects.filter(one, pk__in=[]))
    assert nothing(one=wire.pk) == nothing(one=wire.pk) == []


def test_what_never_differs_is_in_the_sql_as_it_is() -> None:
    odd = "100% of O'Neill \\ %s %% $1"
    made = known(odd)
    known("Another")
    query = CompiledQuery(lambda: Document.objects.filter(title=odd, source=Given("source")))
    assert query(source=made.source_id) == [made]
    # The condition of a partial index helps only where it is known when the query is planned.
    written = _queries(EVERYTHING).first._written
    assert written is not None
    *_, sql, left = written
    assert "hidden_by\" = ''" in sql
    assert {each.name for each in left} == {"person", "sources"}
    # And what is read is in the index itself.
    assert set(Ranked._fields) == {"pk", "order", *CHOSEN_BY}


def test_a_connection_plans_it_once() -> None:
    wires = [source(f"Wire {n}") for n in range(9)]
    mark = uuid4().hex
    rows = Source.objects.exclude(name=mark)
    query = CompiledQuery(lambda: rows.filter(pk__any_of=Given("ids")))
    for count in range(1, 9):
        assert len(query(ids=[wire.pk for wire in wires[:count]])) == count
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT generic_plans, custom_plans FROM pg_prepared_statements"
            " WHERE strpos(statement, %s) > 0",
            [mark],
        )
        assert cursor.fetchall() == [(8, 0)]


def test_it_is_counted_and_logged_like_any_other() -> None:
    wire = source("Wire")
    query = CompiledQuery(lambda: Source.objects.filter(pk=Given("one")))
    for _ in range(2):
        with CaptureQueriesContext(connection) as asked:
            assert query(one=wire.pk) == [wire]
        [only] = asked.captured_queries
        assert '"ingestion_source"."id" = ($1)' in only["sql"]


def test_a_value_that_lacks_is_an_error_and_never_everything() -> None:
    known("Acme grew")
    rows = Document.objects.filter(source=Given("source"))
    query = CompiledQuery(lambda: rows)
    with pytest.raises(KeyError):
        query()
    assert query(source=None) == []
    # Were it asked in any other way, another Django's too, no value would stand in for it.
    with pytest.raises(ProgrammingError, match="Given"), transaction.atomic():
        list(rows)


def test_who_may_see_what_is_told_by_each_call(alice: User, bob: User) -> None:
    vault = source("Vault")
    document = known("Falcon will be bought", wire=vault)
    query = CompiledQuery(lambda: Document.objects.visible_to(SOMEBODY))

    def seen(user: User) -> list[Document]:
        return query(**Source.objects.given_for(user))

    assert seen(alice) == seen(bob) == [document]
    team = Group.objects.create(name="deal team")
    vault.groups.add(team)
    assert seen(alice) == []
    bob.groups.add(team)
    assert seen(bob) == [document]
    bob.groups.remove(team)
    assert seen(bob) == []
    # Where nothing is compiled, somebody is nobody.
    assert not Source.objects.visible_to(SOMEBODY).exists()


def test_permissions_at_once_are_those_of_django(alice: User, admin_user: User) -> None:
    own = Permission.objects.get(codename="operate_pipeline")
    alice.user_permissions.add(own)
    nobody = User.objects.create_user("nobody")
    gone = User.objects.create_user("gone", is_active=False)
    gone.groups.set(alice.groups.all())
    for person in (alice, admin_user, nobody, gone):
        fresh = User.objects.get(pk=person.pk)
        expected = User.objects.get(pk=person.pk).get_all_permissions()
        assert PermissionsAtOnce().has_perm(fresh, "ingestion.view_document") is False
        assert fresh.get_all_permissions() == expected
        for name in ("ingestion.view_document", "ingestion.operate_pipeline", "feed.nothing"):
            assert User.objects.get(pk=person.pk).has_perm(name) == (
                person.is_superuser or name in expected
            )
