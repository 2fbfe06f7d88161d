"""The language of a text, and keyword search in texts that are not in English."""

from __future__ import annotations

import json

import pytest
from django.contrib.auth.models import User
from django.db import connection
from small_corpus import document

from ingestion.language import CONFIGS, in_pairs, language_of, search_config
from ingestion.lexical import (
    configs_present,
    document_terms,
    query_terms,
    refresh_statistics,
    stems,
    term_of,
)
from ingestion.models import Chunk, Document
from qa.retrieval import search

GERMAN = "Die Umsatzerlöse der Gesellschaft stiegen im Geschäftsjahr deutlich, vor allem in Asien."
CHINESE = "本公司全年营业收入增长百分之五，净利润下降，主要原因是原材料成本上升。"
JAPANESE = "当期の売上高は前年同期比で五パーセント増加しましたが、営業利益は減少しました。"
TEXTS = {
    "de": GERMAN,
    "zh": CHINESE,
    "ja": JAPANESE,
    "ko": "당사의 연간 매출은 전년 대비 증가하였으나 영업이익은 원가 상승으로 감소하였습니다.",
    "fr": "Le chiffre d’affaires du groupe a progressé, porté par les ventes en Europe et en Asie.",
    "es": "Los ingresos de la compañía crecieron hasta los trescientos millones de euros este año.",
    "en": "Net sales of the company rose, while the cost of goods sold fell in all the segments.",
}


@pytest.mark.parametrize("language", sorted(TEXTS))
def test_a_paragraph_is_enough_to_tell_the_language(language: str) -> None:
    assert language_of(TEXTS[language]) == language
    assert language_of(f"{TEXTS[language]} 4,123 5,201 (12) — 7.5% " * 400) == language


@pytest.mark.parametrize("text", ["", "   ", "4,123 (5) 12%", "Umsatz", "公司", "\0"])
def test_little_text_has_no_language_and_counts_as_english(text: str) -> None:
    assert language_of(text) == ""
    assert search_config("") == "english"


@pytest.mark.django_db
def test_postgres_has_every_configuration_and_dictionary() -> None:
    assert search_config("pl") == search_config("zh") == "simple"
    for config in {*CONFIGS.values(), "simple"}:
        assert stems(["2018"], config) == {"2018": "2018"}


def test_runs_become_pairs_and_the_rest_stays() -> None:
    assert in_pairs("营业收入 grew").split() == ["营业", "业收", "收入", "grew"]
    assert in_pairs("中 a").split() == ["中", "a"]
    assert in_pairs("no runs") == "no runs"


def foreign(text: str, language: str, **fields: object) -> Document:
    """A document whose terms are made as indexing makes them."""
    row = document([text], language=language, **fields)
    for chunk in row.chunks.all():
        chunk.pk = None
        chunk.terms = document_terms([chunk.body], search_config(language))[0]
        row.chunks.all().delete()
        chunk.save()
    return row


def found(question: str, documents: object) -> set[int]:
    terms = query_terms(question, configs_present())
    hits = Chunk.objects.lexical(question, documents, 10, terms=terms)  # type: ignore[arg-type]
    ids = [hit.chunk_id for hit in hits]
    return set(Chunk.objects.filter(pk__in=ids).values_list("document_id", flat=True))


@pytest.mark.django_db
def test_words_are_stemmed_in_their_language_in_narrow_and_wide_scopes() -> None:
    english = document(["Revenue of the houses rose."])
    german = foreign("Die Häuser wurden verkauft.", "de")
    refresh_statistics()
    for scope in (Document.objects.all(), None):
        assert found("Haus", scope) == {german.pk}
        assert found("house", scope) == {english.pk}
        # "die" is a stop word in German only, "the" in English only.
        assert found("die", scope) == set()
        assert found("the", scope) == set()


@pytest.mark.django_db
def test_chinese_words_are_found_within_a_run() -> None:
    chinese, japanese = foreign(CHINESE, "zh"), foreign(JAPANESE, "ja")
    document(["Revenue rose."])
    refresh_statistics()
    for scope in (Document.objects.all(), None):
        assert found("净利润", scope) == {chinese.pk}
        assert found("営業利益", scope) == {japanese.pk}
        assert found("现金流", scope) == set()


@pytest.mark.django_db
def test_the_terms_of_english_stay_as_they_are_stored() -> None:
    (english,) = document_terms(["margin"])
    (german,) = document_terms(["margin"], "german")
    assert english.indices() == [term_of("margin")]
    assert german.indices() == [term_of("german:margin")]
    assert configs_present() == ["english"]


@pytest.mark.django_db
def test_many_foreign_passages_are_left_to_the_index(monkeypatch: pytest.MonkeyPatch) -> None:
    german = foreign(GERMAN, "de")
    refresh_statistics()
    monkeypatch.setattr("ingestion.querysets.NARROW_CHUNKS", 0)
    assert found("Umsatzerlöse", None) == {german.pk}


@pytest.mark.django_db
def test_a_search_marks_words_and_finds_phrases_in_chinese_and_german(alice: User) -> None:
    foreign(CHINESE, "zh")
    foreign(GERMAN, "de")
    refresh_statistics()
    for question in ("营业收入", '"营业收入"'):
        (passage,) = search(question, alice).passages
        marked = "".join(passage.excerpt[start:end] for start, end in passage.highlights)
        assert marked == "营业收入"
    (passage,) = search("Gesellschaften", alice).passages
    marks = [passage.excerpt[start:end] for start, end in passage.highlights]
    assert marks == ["Gesellschaft"]
    assert search('"毛利率"', alice).passages == []


@pytest.mark.django_db
def test_the_languages_that_there_are_come_from_their_index() -> None:
    foreign(GERMAN, "de")
    assert configs_present() == ["english", "german"]
    with connection.cursor() as cursor:
        cursor.execute("SET enable_seqscan = off")
        cursor.execute(
            "EXPLAIN (FORMAT JSON) SELECT FROM ingestion_document"
            " WHERE language = 'de' AND NOT (language IN ('', 'en'))"
        )
        plan = json.dumps(cursor.fetchone())
        cursor.execute("RESET enable_seqscan")
    assert "document_foreign" in plan
