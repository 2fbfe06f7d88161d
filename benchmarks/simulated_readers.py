"""A firm's tables as they are after years of documents and 90 days of reading, made by SQL.

Rows are multiplied in the database itself, so that millions take minutes. Only documents of the
feed's window have passages and rows of the ranker; of the older ones there are rows, mentions and
topics. Call it in an empty database alone: nothing here asks what is there already.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group, User
from django.db import connection
from django.db.models import Model
from django.utils import timezone
from pgvector import HalfVector, SparseVector

from docintel import encoders, registry
from docintel.models import ModelVersion
from feed import facts, learning_tastes
from feed.event_tables import Engagement, FeedEvent
from feed.item_tables import FeedItem, RankedDocument
from feed.ml.features import NAMES
from feed.ml.freshness import HALF_LIFE
from feed.signal_tables import FeedProfile, Follow
from ingestion.chunk_tables import TERM_DIMENSIONS, VECTOR_DIMENSIONS
from ingestion.models import (
    Chunk,
    Company,
    Document,
    DocumentTopic,
    Mention,
    Source,
    Topic,
)

YEARS_DAYS = 1_826
WINDOW_DAYS = 60  # How long rows of the ranker are kept.
EVENT_DAYS = 90
COMPANIES, SOURCES, RESTRICTED = 2_000, 300, 10
FOLLOWED = 40
# How often an analyst's events are of one document, on average.
EVENTS_OF_A_DOCUMENT = 5
TEXT = (
    "Northwind Traders said that freight costs fell by a tenth in the quarter. "
    "Its order book grew, and the board keeps its outlook for the year. "
)


def fill(documents: int, analysts: int, events: int) -> dict[str, Any]:
    """Makes everything; session keys, one for each analyst, and how many rows there are."""
    with connection.cursor() as cursor:
        # Neither triggers nor foreign keys are asked about rows that are right by construction.
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("SET synchronous_commit = off")
        cursor.execute("SELECT setseed(0.5)")
    versions = _versions()
    _sources_and_companies()
    recent = max(1, documents * WINDOW_DAYS // YEARS_DAYS)
    _documents(documents, recent, versions)
    people = _people(analysts)
    _items(recent, analysts)
    _events(max(recent, documents * EVENT_DAYS // YEARS_DAYS), analysts, events)
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = DEFAULT")
        cursor.execute("VACUUM ANALYZE")
    _profiles(versions["embedder"])
    return {"sessions": [_session(user) for user in people], "rows": _counts()}


def multiply(row: Model, series: str, **columns: str) -> None:
    """Copies of `row` for each row of `series` (SQL of a FROM); the row itself is removed.

    `columns` are expressions of SQL by column; the others are as in `row`.
    """
    table, key = row._meta.db_table, str(row._meta.pk.column)
    every = [str(field.column) for field in row._meta.concrete_fields]
    names = [name for name in every if name != key or key in columns]
    values = ", ".join(columns.get(name, f't."{name}"') for name in names)
    listed = ", ".join(f'"{name}"' for name in names)
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE TEMP TABLE template AS SELECT * FROM {table} WHERE {key} = {row.pk}"
        )
        cursor.execute(f"DELETE FROM {table} WHERE {key} = {row.pk}")
        with _indexed_afterwards(table):
            insert = f"INSERT INTO {table} ({listed}) SELECT {values} FROM template t, {series}"
            cursor.execute(insert)
        cursor.execute("DROP TABLE template")


@contextmanager
def _indexed_afterwards(table: str) -> Iterator[None]:
    """All of its indexes but the primary key are made when the rows are there.

    Keeping an index over random values up row by row takes longer than the rows themselves.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT format('ALTER TABLE %%s DROP CONSTRAINT %%I', conrelid::regclass, conname),"
            " format('ALTER TABLE %%s ADD CONSTRAINT %%I %%s', conrelid::regclass, conname,"
            " pg_get_constraintdef(oid)) FROM pg_constraint"
            " WHERE conrelid = %s::regclass AND contype = 'u'",
            [table],
        )
        changes = list(cursor.fetchall())
        cursor.execute(
            "SELECT format('DROP INDEX %%s', indexrelid::regclass), pg_get_indexdef(indexrelid)"
            " FROM pg_index WHERE indrelid = %s::regclass AND NOT indisprimary AND NOT EXISTS"
            " (SELECT 1 FROM pg_constraint WHERE conindid = indexrelid)",
            [table],
        )
        changes += cursor.fetchall()
        for drop, _ in changes:
            cursor.execute(drop)
        yield
        for _, make in changes:
            cursor.execute(make)


def _versions() -> dict[str, ModelVersion]:
    return {
        "embedder": encoders.live_embedder(),
        "recogniser": registry.register("recogniser", "bench", "bench"),
        "classifier": registry.register("topic classifier", "bench", "bench"),
    }


def _sources_and_companies() -> None:
    source = Source.objects.create(name="Bench", kind=Source.Kind.RSS)
    multiply(source, f"generate_series(1, {SOURCES}) g(n)", id="g.n + 1000",
             name="'Wire ' || g.n", credibility="random()")  # fmt: skip
    vault = Group.objects.create(name="vault")
    for restricted in Source.objects.order_by("pk")[:RESTRICTED]:
        restricted.groups.add(vault)
    company = Company.objects.create(name="Bench", key="bench")
    multiply(
        company, f"generate_series(1, {COMPANIES}) g(n)", id="g.n + 1000",
        name="'Company ' || g.n || ' Holdings'", key="'company' || g.n || 'bench'",
    )  # fmt: skip


def _documents(count: int, recent: int, versions: dict[str, ModelVersion]) -> None:
    """Number 1 is the newest."""
    now = timezone.now()
    ago = f"now() - (g.n::float / {count}) * interval '{YEARS_DAYS} days'"
    document = Document.objects.create(
        source_id=1_001, title="Bench", company_id=1_001, text=TEXT, file_sha256="bench",
        kind=Document.Kind.NEWS, pages=[0], chunk_count=1, shingle_count=20, language="en",
        **versions, unit_embedder=versions["embedder"],
    )  # fmt: skip
    kinds = "ARRAY['" + "','".join(Document.Kind.values) + "']"
    stages = ("received_at", "parsed_at", "searchable_at", "embedded_at", "recognised_at")
    times = dict.fromkeys(stages, ago)
    multiply(
        document, f"generate_series(1, {count}) g(n)", id="g.n + 1000",
        public_id="gen_random_uuid()", title="'Story ' || g.n || ' of the wire on freight costs'",
        source_id=f"1001 + (random() * {SOURCES - 1})::int", file_sha256="md5(g.n::text)",
        company_id=f"1001 + (random() ^ 3 * {COMPANIES - 1})::int",
        kind=f"({kinds})[1 + (random() * {len(Document.Kind.values) - 1})::int]",
        published_on=f"({ago})::date", fiscal_year=f"extract(year from {ago})::int", **times,
    )  # fmt: skip
    newest = Document.objects.order_by("pk")[0]
    mention = Mention.objects.create(
        document=newest, start=0, end=17, kind=Mention.Kind.COMPANY, name="Northwind Traders",
        company_id=1_001, recogniser=versions["recogniser"],
    )  # fmt: skip
    some_company = f"1001 + (random() ^ 3 * {COMPANIES - 1})::int"
    multiply(mention, f"generate_series(1, {count}) g(n), generate_series(1, 2) m(k)",
             document_id="g.n + 1000", company_id=some_company)  # fmt: skip
    topics = list(Topic.objects.filter(active=True).values_list("key", flat=True))
    topic = DocumentTopic.objects.create(
        document=newest, topic_id=topics[0], probability=0.9, classifier=versions["classifier"]
    )
    keys = "ARRAY['" + "','".join(topics) + "']"
    multiply(topic, f"generate_series(1, {count}) g(n), generate_series(0, 1) m(k)",
             document_id="g.n + 1000", probability="0.3 + 0.7 * random()",
             topic_id=f"({keys})[1 + (g.n * 7 + m.k) % {len(topics)}]")  # fmt: skip
    _ranked(newest, max(recent, count * EVENT_DAYS // YEARS_DAYS), versions["embedder"], now)
    chunk = Chunk.objects.create(
        document=newest, ordinal=0, start=0, end=len(TEXT), page=1, n_tokens=30,
        body=f"x\n{TEXT}", header_length=2, terms=SparseVector({1: 1.0}, TERM_DIMENSIONS),
    )  # fmt: skip
    multiply(chunk, f"generate_series(1, {recent}) g(n)", document_id="g.n + 1000")


def _ranked(newest: Document, count: int, embedder: ModelVersion, now: Any) -> None:
    """What the ranker knows of the documents that were read in the time of the events."""
    [row] = facts.gather([newest], embedder)
    row.vector, row.fresh_at, row.ranked_at = HalfVector([0.0] * VECTOR_DIMENSIONS), now, now
    row.save()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    about = (
        "jsonb_build_object('companies', jsonb_build_array(d.company_id),"
        " 'main', d.company_id, 'kind', d.kind, 'source', d.source_id, 'group', d.id,"
        " 'characters', 1800, 'opening', lower(d.title), 'topics',"
        " (SELECT coalesce(jsonb_object_agg(p.topic_id, round(p.probability::numeric, 4)), '{}')"
        " FROM ingestion_documenttopic p WHERE p.document_id = d.id))"
    )
    # Unit vectors: 768 numbers of equal length, their signs by chance.
    signs = (
        "(SELECT array_agg(CASE WHEN random() < 0.5 THEN 1 ELSE -1 END / sqrt(768.0))"
        " FROM generate_series(1, 768) WHERE d.id > 0)::halfvec(768)"
    )
    multiply(row, f"(SELECT * FROM ingestion_document WHERE id <= {1_000 + count}) d",
             document_id="d.id", facts=about, vector=signs, fresh_at="d.received_at",
             ranked_at="d.received_at")  # fmt: skip


def _people(count: int) -> list[User]:
    analysts = Group.objects.get(name="analyst")
    people = User.objects.bulk_create(
        User(id=1_000 + n, username=f"analyst{n}", password="!", email=f"a{n}@example.com")
        for n in range(1, count + 1)
    )
    analysts.user_set.add(*people)
    FeedProfile.objects.bulk_create(
        FeedProfile(user=user, started_at=timezone.now()) for user in people
    )
    follow = Follow.objects.create(user=people[0], kind=Follow.Kind.COMPANY, company_id=1_001)
    multiply(
        follow, f"generate_series(1, {count}) g(n), generate_series(1, {FOLLOWED}) m(k)",
        user_id="g.n + 1000", company_id=f"1001 + (g.n * 13 + m.k * 17) % {COMPANIES}",
    )  # fmt: skip
    return people


def _items(recent: int, analysts: int) -> None:
    some = "CASE WHEN random() < 0.5 THEN 0 ELSE random() END"
    features = "ARRAY[" + ", ".join([some] * len(NAMES)) + "]"
    item = FeedItem.objects.create(
        user_id=1_001, document_id=1_001, score=0, order=0, fresh_at=timezone.now(), features=[],
        source_ref=0, group=0,
    )  # fmt: skip
    days = "extract(epoch from d.received_at - timestamptz '2000-01-01 00:00Z') / 86400"
    pairs = (
        "(SELECT d.id, d.received_at, d.company_id, d.source_id, n, 6 * random() AS score"
        f" FROM ingestion_document d, generate_series(1, {analysts}) n"
        f" WHERE d.id <= {1_000 + recent})"
    )
    multiply(
        item, f"{pairs} d", user_id="d.n + 1000", document_id="d.id", score="d.score",
        order=f"d.score + ln(2) / {HALF_LIFE} * {days}", fresh_at="d.received_at",
        features=features, company_ref="d.company_id", source_ref="d.source_id",
        group="d.id", hidden_by="CASE WHEN random() < 0.05 THEN 'a source' ELSE '' END",
    )  # fmt: skip


def _events(documents: int, analysts: int, events: int) -> None:
    """Of each analyst as many, on documents of 90 days; engagements are what they amount to."""
    each = max(1, events // analysts)
    distinct = max(1, min(documents, each // EVENTS_OF_A_DOCUMENT))
    now = timezone.now()
    event = FeedEvent.objects.create(
        client_id="00000000-0000-4000-8000-000000000000", user_id=1_001, document_id=1_001,
        verb=FeedEvent.Verb.IMPRESSION, occurred_at=now,
    )  # fmt: skip
    ago = f"now() - (g.n::float / {each}) * interval '{EVENT_DAYS} days'"
    shown = "(g.n % 10 < 8)"
    verb = f"CASE WHEN {shown} THEN 'impression' WHEN g.n % 10 = 8 THEN 'open' ELSE 'dwell' END"
    document = (
        f"1001 + ((g.n::bigint * 7919 + u.n * 104729) % {distinct}) * {documents} / {distinct}"
    )
    features = "ARRAY[" + ", ".join(["random()"] * len(NAMES)) + "]"
    multiply(
        event, f"generate_series(1, {analysts}) u(n), generate_series(1, {each}) g(n)",
        client_id="gen_random_uuid()", user_id="u.n + 1000", document_id=document, verb=verb,
        position=f"CASE WHEN {shown} THEN 1 + g.n % 40 END", occurred_at=ago, received_at=ago,
        active_ms="CASE WHEN g.n % 10 = 9 THEN 40000 END",
        propensity=f"CASE WHEN {shown} THEN 0.95 END",
        features=f"CASE WHEN {shown} THEN {features} END",
    )  # fmt: skip
    engagement = Engagement.objects.create(user_id=1_001, document_id=1_001)
    summed = (
        "(SELECT user_id AS u, document_id AS d,"
        " count(*) FILTER (WHERE verb = 'impression') AS shown,"
        " count(*) FILTER (WHERE verb = 'open') AS opens, coalesce(sum(active_ms), 0) AS ms,"
        " max(occurred_at) FILTER (WHERE verb = 'impression') AS shown_at,"
        " max(occurred_at) FILTER (WHERE verb = 'open') AS opened_at"
        " FROM feed_feedevent GROUP BY 1, 2) s"
    )
    multiply(
        engagement, summed, user_id="s.u", document_id="s.d", shown="s.shown", opens="s.opens",
        active_ms="s.ms", shown_at="s.shown_at", opened_at="s.opened_at",
    )  # fmt: skip


def _profiles(embedder: ModelVersion) -> None:
    """As reading has made them, and ranked for."""
    now = timezone.now()
    for row in FeedProfile.objects.all():
        taste = learning_tastes.taste_of(row.user_id, embedder, now)
        facts.refresh(row, embedder, now, taste)
    rank_as_they_are()


def rank_as_they_are() -> None:
    """Nobody's feed is due to be ranked anew."""
    now = timezone.now()
    FeedProfile.objects.update(changed_at=now, ranked_for=now)


def _session(user: User) -> str:
    store = import_module(settings.SESSION_ENGINE).SessionStore()
    store["_auth_user_id"] = str(user.pk)
    store["_auth_user_backend"] = "django.contrib.auth.backends.ModelBackend"
    store["_auth_user_hash"] = user.get_session_auth_hash()
    store.create()
    return str(store.session_key)


def _counts() -> dict[str, int]:
    tables: list[type[Model]] = [
        Document, Mention, DocumentTopic, RankedDocument, FeedItem, FeedEvent, Engagement, Follow,
    ]  # fmt: skip
    return {table.__name__: table._default_manager.count() for table in tables}


def main() -> None:
    """Sizes from the command line; prints what `fill` returns as one line of JSON."""
    sizes = [int(value) for value in sys.argv[1:4]]
    print("filled " + json.dumps(fill(*sizes)), flush=True)
