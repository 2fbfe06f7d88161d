"""Search fuses both halves, shows nothing twice, and keeps scope, phrases and permissions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.db import connection
from small_corpus import document, source, unit

from docintel import encoders
from docintel.encoders import EncoderUnavailable
from docintel.models import Measurement, ModelVersion
from ingestion.lexical import refresh_statistics
from ingestion.models import Chunk, ChunkVector, Document
from qa.excerpts import excerpt, matcher
from qa.passages import Passage
from qa.ranking.verbatim import WEIGHT
from qa.retrieval import BadQuery, Scope, SearchResults, search

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("whole_graph")]


@pytest.fixture
def embedder() -> ModelVersion:
    return ModelVersion.objects.create(
        name="embedder", version="axes", digest="0", dimensions=768, state="live"
    )


@pytest.fixture
def meaning(monkeypatch: pytest.MonkeyPatch, embedder: ModelVersion) -> dict[str, np.ndarray]:
    """What a question means, by its text; every other one points along the last axis."""
    meanings: dict[str, np.ndarray] = {}

    def embed(texts: list[str], *, kind: str = "document") -> np.ndarray:
        assert kind == "query"
        return np.array([meanings.get(text, unit((767, 1))) for text in texts])

    monkeypatch.setattr(encoders, "live_embedder", lambda: embedder)
    monkeypatch.setattr(encoders, "embed", embed)
    return meanings


@pytest.fixture(params=["narrow", "wide"])
def plan(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Runs the test with the plan for narrow scopes and again with the one for wide scopes."""
    if request.param == "wide":
        monkeypatch.setattr("ingestion.querysets.NARROW_CHUNKS", 0)
    return request.param


def texts(results: SearchResults) -> list[str]:
    return [passage.text.strip() for passage in results.passages]


def test_both_halves_are_fused_and_keep_their_ranks(
    alice: User, meaning: dict[str, np.ndarray], embedder: ModelVersion
) -> None:
    meaning["shipping prices"] = unit((0, 1))
    document(
        ["Shipping prices rose.", "Freight became dear.", "Shipping was on time."],
        vectors=[unit((0, 1), (1, 1)), unit((0, 1)), unit((2, 1))],
        embedder=embedder,
    )
    refresh_statistics()
    results = search("shipping prices", alice)
    assert len(results.passages) == 3, results.notes
    both, lexical, dense = results.passages
    assert both.text == "Shipping prices rose.\n"
    assert (both.bm25_rank, both.dense_rank) == (1, 2)
    # It also holds both words together.
    assert both.score == pytest.approx(1 / 61 + 1 / 62 + WEIGHT / 61)
    assert both.dense_score == pytest.approx(0.5**0.5, abs=1e-3)
    assert (dense.bm25_rank, dense.bm25_score, dense.dense_rank) == (None, None, 1)
    assert (lexical.bm25_rank, lexical.dense_rank) == (2, 3)
    assert results.total_candidates == 3
    assert {"lexical", "dense", "total"} <= results.seconds.keys()
    assert Measurement.objects.get(name="search_seconds").value == results.seconds["total"]


def test_only_vectors_of_the_live_embedder_count(
    alice: User, plan: str, meaning: dict[str, np.ndarray], embedder: ModelVersion
) -> None:
    old = ModelVersion.objects.create(name="embedder", version="old", digest="1")
    stale = document(["Stale."], vectors=[unit((767, 1))], embedder=old)
    fresh = document(["Fresh."], vectors=[unit((767, 1), (1, 5))], embedder=embedder)
    results = search("anything", alice)
    assert [passage.document_id for passage in results.passages] == [fresh.pk], results.notes
    assert "1 of 2 documents in scope are not yet in the vector index" in results.notes[0]
    assert stale.pk != fresh.pk


def test_without_an_encoder_keywords_still_answer(
    alice: User, monkeypatch: pytest.MonkeyPatch, embedder: ModelVersion
) -> None:
    def unavailable(*_: Any, **__: Any) -> None:
        raise EncoderUnavailable("no inference role")

    document(["Freight rose."])
    for name in ("embed", "live_embedder"):
        monkeypatch.setattr(encoders, "live_embedder", lambda: embedder)
        monkeypatch.setattr(encoders, name, unavailable)
        results = search("freight", alice)
        assert texts(results) == ["Freight rose."]
        assert results.notes == ["Meaning search is unavailable, these are keyword matches only."]


def test_results_are_grouped_by_document_best_first(
    alice: User, meaning: dict[str, np.ndarray]
) -> None:
    many = document([f"Freight costs rose in month {month}." for month in range(6)])
    one = document(["Freight freight freight."])
    refresh_statistics()
    results = search("freight", alice)
    assert [hits.document.pk for hits in results.documents] == [one.pk, many.pk]
    assert [len(hits.passages) for hits in results.documents] == [1, 3]
    assert results.documents[1].n_passages == 6
    assert len(search("freight", alice, limit=1).documents) == 1


def test_ties_are_broken_by_id_and_repeat(alice: User, meaning: dict[str, np.ndarray]) -> None:
    for number in range(5):
        document(["Freight costs rose."], file_name=f"{number}.txt")
    refresh_statistics()
    runs = [[p.chunk_id for p in search("freight", alice).passages] for _ in range(3)]
    assert runs[0] == sorted(runs[0])
    assert runs[0] == runs[1] == runs[2]


def test_text_in_the_overlap_is_shown_once(alice: User, meaning: dict[str, np.ndarray]) -> None:
    row = document(
        ["A quiet year. " * 3 + "Freight rose.", "Freight doubled at once. " + "Calm days. " * 5],
        overlap=25,
    )
    refresh_statistics()
    passages = search("freight", alice).passages
    assert len(passages) == 2
    spans = sorted((passage.start, passage.end) for passage in passages)
    assert spans[0][1] <= spans[1][0]
    for passage in passages:
        assert row.text[passage.start : passage.end] == passage.text
        assert row.page_of(passage.start) == passage.page


def test_a_passage_inside_a_better_one_is_left_out(
    alice: User, meaning: dict[str, np.ndarray]
) -> None:
    document(["Freight freight freight costs.", "So it was freight."], overlap=100)
    refresh_statistics()
    results = search("freight", alice)
    assert len(results.bm25) == 2
    assert len(results.passages) == 1


def test_scope_holds_in_both_halves(
    alice: User, plan: str, meaning: dict[str, np.ndarray], embedder: ModelVersion
) -> None:
    vectors = [unit((767, 1))]
    same: dict[str, Any] = {"vectors": vectors, "embedder": embedder}
    wanted = document(["Freight."], company="Acme", fiscal_year=2024, kind="news", **same)
    document(["Freight!"], company="Acme", fiscal_year=2023, kind="news", **same)
    document(["Freight?"], company="Bolt", fiscal_year=2024, kind="news", **same)
    document(["Freight…"], company="Acme", fiscal_year=2024, kind="annual_report", **same)
    refresh_statistics()
    scope = Scope(companies=(wanted.company_id,), fiscal_years=(2024,), kinds=("news",))
    results = search("freight", alice, scope)
    assert [hits.document.pk for hits in results.documents] == [wanted.pk]
    assert len(results.bm25) == len(results.dense) == 1
    assert len(search("freight", alice).documents) == 4


def test_a_scope_without_documents_says_so(alice: User, meaning: dict[str, np.ndarray]) -> None:
    document(["Freight."])
    results = search("freight", alice, Scope(companies=(999_999,)))
    assert (results.passages, results.documents) == ([], [])
    assert results.notes == ["No document that you can search matches this scope."]


@pytest.mark.parametrize(
    ("fields", "state"),
    [
        ({"searchable_at": None}, "unsearchable"),
        ({"quarantined_at": "2024-01-01T00:00Z"}, "quarantined"),
        ({"dropped_at": "2024-01-01T00:00Z"}, "dropped"),
    ],
)
def test_what_is_not_searchable_is_not_found(
    adam: User,
    plan: str,
    meaning: dict[str, np.ndarray],
    embedder: ModelVersion,
    fields: dict[str, Any],
    state: str,
) -> None:
    adam.is_superuser = True
    gone = document(["Freight gone."], vectors=[unit((767, 1))], embedder=embedder)
    here = document(["Freight here."], vectors=[unit((767, 1))], embedder=embedder)
    Document.objects.filter(pk=gone.pk).update(**fields)
    refresh_statistics()
    for scope in (Scope(), Scope(documents=(gone.pk, here.pk))):
        results = search("freight", adam, scope)
        assert len(results.bm25) == len(results.dense) == 1, state
        assert [hits.document.pk for hits in results.documents] == [here.pk]


def test_a_restricted_source_leaks_nowhere(
    alice: User, olga: User, plan: str, meaning: dict[str, np.ndarray], embedder: ModelVersion
) -> None:
    private = source("Board papers", "operator")
    secret = document(
        ["Project Nightjar: freight will triple."],
        origin=private,
        vectors=[unit((767, 1))],
        embedder=embedder,
    )
    hidden_lag = document(["Nightjar, not embedded yet."], origin=private)
    document(["Freight is calm."], vectors=[unit((0, 1))], embedder=embedder)
    refresh_statistics()
    for question in ("freight nightjar", '"Project Nightjar"', '"freight will triple"'):
        for scope in (
            Scope(),
            Scope(sources=(private.pk,)),
            Scope(documents=(secret.pk, hidden_lag.pk)),
        ):
            results = search(question, alice, scope)
            found = {passage.document_id for passage in results.passages}
            ranked = {hit.chunk_id for hit in (*results.bm25, *results.dense)}
            of_secret = Chunk.objects.filter(document__source=private, pk__in=ranked)
            assert secret.pk not in found
            assert not of_secret.exists()
            assert "not yet in the vector index" not in " ".join(results.notes)
            assert results.total_candidates <= 1
            assert secret.pk in {
                hits.document.pk for hits in search(question, olga, scope).documents
            }
    # The same words as for something that does not exist at all.
    missing = search("freight", alice, Scope(documents=(999_999,)))
    hidden = search("freight", alice, Scope(documents=(secret.pk,)))
    assert missing.notes == hidden.notes


def test_a_document_also_sighted_in_an_open_source_is_found(
    alice: User, meaning: dict[str, np.ndarray]
) -> None:
    private = source("Board papers", "operator")
    original = document(["Freight will triple."], origin=private)
    assert search("freight", alice).passages == []
    Document.objects.create(
        source=source("Open"), file_name="copy", file_sha256="c", duplicate_of=original
    )
    assert texts(search("freight", alice)) == ["Freight will triple."]


def test_nobody_is_shown_nothing(alice: User, meaning: dict[str, np.ndarray]) -> None:
    document(["Freight."])
    alice.is_active = False
    for user in (AnonymousUser(), alice):
        assert search("freight", user).passages == []


@pytest.mark.parametrize("rare", [0, 20_000])
def test_quoted_words_must_occur_exactly(
    alice: User,
    rare: int,
    meaning: dict[str, np.ndarray],
    embedder: ModelVersion,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("qa.retrieval.RARE_PHRASE", rare)
    document(
        [
            "Costs of freight rose and freight cost us dearly.",
            "The\n freight  COSTS rose.",
            "Freight costs.",
            "Airfreight costs rose.",
        ],
        header="Acme freight costs rose",
        vectors=[unit((axis, 1)) for axis in range(4)],
        embedder=embedder,
    )
    refresh_statistics()
    results = search('what about "freight costs rose"?', alice)
    assert texts(results) == ["The\n freight  COSTS rose."]
    assert len(results.bm25) == len(results.dense) == 1
    curly = search("“freight costs” and “rose”", alice)
    assert texts(curly) == ["The\n freight  COSTS rose."]


def test_a_phrase_that_does_not_occur_says_so(alice: User, meaning: dict[str, np.ndarray]) -> None:
    document(["Freight costs rose."])
    results = search('"costs freight"', alice)
    assert results.passages == []
    assert "No passage contains “costs freight” exactly." in results.notes
    assert any("only very common words" in note for note in search('"of the"', alice).notes)


@pytest.mark.parametrize("phrase", ["(a.b)* [x]", "$1,577", "100%", "back\\slash", "it's freight"])
def test_a_phrase_may_hold_any_character(
    alice: User, phrase: str, meaning: dict[str, np.ndarray]
) -> None:
    document([f"Before {phrase} after.", "before after"])
    refresh_statistics()
    assert texts(search(f'before "{phrase}"', alice)) == [f"Before {phrase} after."]


@pytest.mark.parametrize("question", ["", "   ", "\0", '" "', "x" * 2_001, "why " * 2_500])
def test_a_bad_question_is_refused_in_words(alice: User, question: str) -> None:
    with pytest.raises(BadQuery, match=r"Type a question|characters"):
        search(question, alice)


@pytest.mark.django_db(transaction=True)
def test_a_search_that_takes_too_long_is_refused_in_words(
    alice: User, meaning: dict[str, np.ndarray]
) -> None:
    document("Freight costs rose.")
    other = connection.copy()
    with connection.cursor() as cursor, other.cursor() as blocker:
        blocker.execute("BEGIN")
        blocker.execute("LOCK TABLE ingestion_chunk IN ACCESS EXCLUSIVE MODE")
        cursor.execute("SET statement_timeout = '50ms'")
        with pytest.raises(BadQuery, match="took too long"):
            search("freight costs", alice)
        cursor.execute("SET statement_timeout = 0")
        blocker.execute("ROLLBACK")
    other.close()


@pytest.mark.parametrize(
    "question", ["the of", "%%% \\ ' --", "{}", "🙂", "ما هو الربع", "营业收入"]
)
def test_odd_questions_get_an_answer(
    alice: User, question: str, meaning: dict[str, np.ndarray]
) -> None:
    document(["Freight costs rose."])
    assert search(question, alice).passages == []


def test_dense_plans_differ_and_agree(
    alice: User, embedder: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    generator = np.random.default_rng(0)
    vectors = [unit(*enumerate(generator.standard_normal(768))) for _ in range(300)]
    document([f"Line {n}." for n in range(300)], vectors=vectors, embedder=embedder)
    some = Document.objects.all()
    statements = _statements(lambda: Chunk.objects.nearest(vectors[0], some, embedder, 10))
    assert "chunk_vector_hnsw" not in statements
    narrow = Chunk.objects.nearest(vectors[0], some, embedder, 10)
    monkeypatch.setattr("ingestion.querysets.NARROW_CHUNKS", 10)
    statements = _statements(lambda: Chunk.objects.nearest(vectors[0], some, embedder, 10))
    assert "Index Scan using chunk_vector_hnsw" in statements
    wide = Chunk.objects.nearest(vectors[0], some, embedder, 10)
    assert len({hit.chunk_id for hit in narrow} & {hit.chunk_id for hit in wide}) >= 8
    first = ChunkVector.objects.get(chunk=narrow[0].chunk_id)
    assert np.dot(first.embedding, vectors[0]) == pytest.approx(1, abs=1e-2)


def _statements(run: Callable[[], object]) -> str:
    plans: list[str] = []

    def explain(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if "<#>" in sql:
            execute(f"EXPLAIN {sql}", params, many, context)
            plans.extend(line for (line,) in context["cursor"].fetchall())
        return execute(sql, params, many, context)

    with connection.execute_wrapper(explain):
        run()
    return "\n".join(plans)


def test_real_meanings_find_what_shares_no_word(alice: User) -> None:
    try:
        embedder = encoders.live_embedder()
        passages = ["The firm dismissed a tenth of its staff.", "Wheat was harvested in June."]
        vectors = encoders.embed(passages)
    except EncoderUnavailable as error:
        pytest.skip(f"no embedder here: {error}")
    document(passages, vectors=list(vectors), embedder=embedder)
    best = search("how many employees were laid off?", alice).passages[0]
    assert best.text.startswith("The firm dismissed")
    assert best.dense_rank == 1


def test_excerpts_start_at_a_sentence_and_mark_the_words(
    alice: User, meaning: dict[str, np.ndarray]
) -> None:
    filler = "Nothing of note happened in the reporting period at all. " * 8
    document([filler + "Freight costs doubled; the margin of freight fell. " + filler])
    refresh_statistics()
    found: Passage = search("freight margins", alice).passages[0]
    assert "Freight costs doubled" in found.excerpt
    assert len(found.excerpt) <= 300
    marked = [found.excerpt[start:end] for start, end in found.highlights]
    assert marked == ["Freight", "margin", "freight"]
    text = Document.objects.get(pk=found.document_id).text
    assert text[found.excerpt_start :].startswith(found.excerpt)
    assert text[found.excerpt_start - 2 : found.excerpt_start] in (". ", "")


def test_an_excerpt_without_hits_is_the_beginning() -> None:
    cut = excerpt("Short text.", matcher([]), {})
    assert (cut.start, cut.end, cut.highlights) == (0, 11, [])
