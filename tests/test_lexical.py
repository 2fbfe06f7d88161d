"""The exact lexical score is BM25: it ranks as the BM25 index does, from the same words."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from small_corpus import document, source

from ingestion.lexical import (
    document_terms,
    query_terms,
    rarest,
    refresh_if_changed,
    refresh_statistics,
    stems,
    term_of,
)
from ingestion.models import Chunk, CorpusStatistics, Document, TermStatistic
from ingestion.querysets import DocumentQuerySet
from ingestion.ranking import Scored

pytestmark = pytest.mark.django_db

WORDS = [
    "revenue",
    "margin",
    "freight",
    "cost",
    "currency",
    "demand",
    "inventory",
    "guidance",
    "dividend",
    "buyback",
    "capital",
    "expenditure",
    "segment",
    "backlog",
    "pricing",
    "volume",
    "churn",
    "subscriber",
    "wafer",
    "supplier",
    "shortage",
    "tariff",
    "impairment",
    "goodwill",
    "covenant",
    "maturity",
    "refinancing",
    "hedging",
    "turbine",
    "refinery",
]


def prose(generator: random.Random, length: int) -> str:
    return " ".join(generator.choices(WORDS, weights=range(1, len(WORDS) + 1), k=length))


def make_corpus(n_documents: int = 40) -> None:
    generator = random.Random(7)
    for _ in range(n_documents):
        document([prose(generator, generator.randint(20, 80)) for _ in range(5)])


def exactly(query: str, documents: DocumentQuerySet | None) -> list[Scored]:
    """The ten best, scored row by row where the scope is narrow enough."""
    return Chunk.objects.lexical(query, documents, 10, terms=query_terms(query))


@pytest.mark.django_db(transaction=True)
def test_exact_plan_ranks_as_the_index_does() -> None:
    # The index also counts rows that other tests rolled back, until it is built again. Never in a
    # transaction that is rolled back: pg_textsearch 1.0.0 cannot read its old file then.
    with connection.cursor() as cursor:
        cursor.execute("REINDEX INDEX chunk_bm25")
    CorpusStatistics(average_length=50).save()
    make_corpus()
    refresh_statistics()
    for query in ("freight cost shortage", "goodwill impairment", "revenue revenue turbine"):
        walked = Chunk.objects.lexical(query, None, 10)
        exact = exactly(query, Document.objects.all())
        assert [hit.score for hit in exact] == pytest.approx(
            [hit.score for hit in walked], rel=0.03
        )
        assert len({hit.chunk_id for hit in exact} & {hit.chunk_id for hit in walked}) >= 9


def test_words_are_stemmed_stop_words_left_out_and_frequency_saturates() -> None:
    once, thrice = document_terms(["The margins of the firm", "margin margin margins firm"])
    assert set(once.indices()) == {term_of("margin"), term_of("firm")}
    weight = dict(zip(thrice.indices(), thrice.values(), strict=True))
    assert weight[term_of("firm")] < weight[term_of("margin")] < 2.2


def test_the_hash_of_a_word_never_changes() -> None:
    assert (term_of("margin"), term_of("revenu")) == (1_027_870, 4_103_209)


@pytest.mark.parametrize("query", ["the of and", "%%% ~~ ''", "\0", "", "الربع 中文"])
def test_a_query_without_any_indexed_word_finds_nothing(query: str) -> None:
    document(["Freight costs rose."])
    refresh_statistics()
    assert Chunk.objects.lexical(query, None, 10) == []
    assert exactly(query, Document.objects.all()) == []


def test_chunks_without_a_word_of_the_query_are_left_out() -> None:
    document(["Freight costs rose.", "Nothing happened."])
    refresh_statistics()
    assert len(Chunk.objects.lexical("freight", None, 10)) == 1
    assert len(exactly("freight", Document.objects.all())) == 1


def test_rare_words_weigh_more_and_unknown_ones_most() -> None:
    document(["freight margin", "freight cost", "freight demand"])
    refresh_statistics()
    terms = query_terms("freight margin zeppelin")
    assert terms is not None
    weight = dict(zip(terms.indices(), terms.values(), strict=True))
    assert weight[term_of("freight")] < weight[term_of("margin")] < weight[term_of("zeppelin")]


def test_statistics_count_chunks_and_replace_the_old_ones() -> None:
    first = document(["freight margin", "freight cost"])
    statistics = refresh_statistics()
    assert (statistics.n_chunks, statistics.average_length) == (2, 2)
    assert TermStatistic.objects.get(term=term_of("freight")).document_frequency == 2
    assert (rarest("freight margin"), rarest("zeppelin"), rarest("of the")) == (1, 0, None)
    first.delete()
    assert refresh_statistics().n_chunks == 0
    assert not TermStatistic.objects.exists()
    assert CorpusStatistics.objects.count() == 1


def test_a_large_corpus_is_sampled_and_scaled(monkeypatch: pytest.MonkeyPatch) -> None:
    document(["freight margin"] * 400)
    monkeypatch.setattr("ingestion.lexical.MOST_CHUNKS_READ", 200)
    refresh_statistics()
    assert TermStatistic.objects.get(term=term_of("freight")).document_frequency == 400


def test_the_corpus_is_counted_again_when_it_changed_or_a_day_has_passed() -> None:
    assert not refresh_if_changed()
    document(["freight margin"] * 100)
    assert refresh_if_changed()
    document(["freight cost"])
    assert not refresh_if_changed()
    CorpusStatistics.objects.update(refreshed_at=timezone.now() - timedelta(days=2))
    assert refresh_if_changed()
    assert CorpusStatistics.current().n_chunks == 101


def test_terms_of_a_long_filing_are_asked_for_at_once() -> None:
    generator = random.Random(3)
    bodies = [prose(generator, 350) for _ in range(220)]
    with CaptureQueriesContext(connection) as queries:
        assert len(document_terms(bodies)) == 220
    assert sum("unnest" in query["sql"] for query in queries) == 1


def test_stems_are_those_of_the_index() -> None:
    assert stems(["margins", "the", "2018"]) == {"margins": "margin", "the": "", "2018": "2018"}


def captured_plans(run: object) -> str:
    """The plans of the ranking queries that `run` sends, as they are sent."""
    plans: list[str] = []

    def explain(execute, sql, params, many, context):  # type: ignore[no-untyped-def]
        if "<@>" in sql or "<#>" in sql:
            execute(f"EXPLAIN {sql}", params, many, context)
            plans.extend(line for (line,) in context["cursor"].fetchall())
        return execute(sql, params, many, context)

    with connection.execute_wrapper(explain):
        run()  # type: ignore[operator]
    return "\n".join(plans)


def test_wide_scopes_walk_the_index_and_narrow_ones_tokenise_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make_corpus()
    some = Document.objects.filter(source=source())
    refresh_statistics()
    narrow = captured_plans(lambda: exactly("freight cost", some))
    assert "terms <#>" in narrow
    assert "<@>" not in narrow
    monkeypatch.setattr("ingestion.querysets.NARROW_CHUNKS", 10)
    for scope in (None, some):
        wide = captured_plans(lambda scope=scope: exactly("freight cost", scope))
        assert "Index Scan using chunk_bm25" in wide
        assert "Sort" not in wide
    assert len(exactly("freight cost", some)) == 10


def test_planner_settings_end_with_the_query() -> None:
    make_corpus(2)
    Chunk.objects.lexical("freight", None, 10)
    with connection.cursor() as cursor:
        cursor.execute("SHOW enable_sort")
        assert cursor.fetchone() == ("on",)
