"""Evidence in one sentence or row: right company, right year, and what the question wants."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from reading_corpus import process

from docintel import registry
from docintel.encoders import EncoderUnavailable
from ingestion.models import Source
from ingestion.receiving import take_in
from qa import answerable_units
from qa.answerable import features, judge, keep
from qa.ml.answerable import BUNDLED
from qa.offering import Offered, offer
from qa.retrieval import search
from qa.understanding import Understanding, understand
from training.answerable_questions import stand_together
from training.answerable_tables import made_of_tables, take_in_pages
from training.evaluation import answerable as evaluating

TABLE = """<html><body><h1>{company} annual report</h1>
<p>Freight costs rose because the canal closed. The plants worked through the summer.</p>
<p>Maria Engel has been our chief financial officer since 2020.</p>
<p>We lease our warehouses. Inventories are valued at cost.</p>
<table><tr><td>(in millions)</td><td>{year}</td><td>{before}</td></tr>
<tr><td>Net sales</td><td>812.4</td><td>790.1</td></tr>
<tr><td>Inventories</td><td>96.3</td><td>88.0</td></tr>
<tr><td>Interest expense</td><td>12.2</td><td>11.9</td></tr></table></body></html>"""


@pytest.fixture
def reports(settings: Any, tmp_path: Path, transactional_db: None) -> None:
    settings.MEDIA_ROOT = tmp_path
    source = Source.objects.create(name="Reports", kind=Source.Kind.FOLDER)
    for company, year in (("Bralmere Foods", 2024), ("Cormdale Networks", 2021)):
        said = {"company": company, "kind": "annual_report", "fiscal_year": year}
        page = TABLE.format(company=company, year=year, before=year - 1)
        take_in(source, f"{company}.html", BytesIO(page.encode()), pushed=said)
    process(embed=True)


def found(question: str, user: User) -> tuple[Understanding, list[Offered]]:
    understanding = understand(question, user)
    passages = search(question, user, understanding.scope()).passages
    passages = passages or search(question, user).passages
    return understanding, offer(passages[:10], user)


def seen(question: str, user: User) -> dict[str, float]:
    return features(*found(question, user), user)


def test_a_row_with_the_figure_of_the_year_is_evidence(reports: None, alice: User) -> None:
    there = seen("What were the inventories of Bralmere Foods in fiscal 2024?", alice)
    for name in ("unit_words", "unit_of_kind", "row_label", "heaviest_together"):
        assert there[name] == pytest.approx(1.0), name
    assert there["wants_figure"] == 1.0
    column = seen("What were the inventories of Bralmere Foods in fiscal 2023?", alice)
    assert column["unit_of_kind"] == pytest.approx(1.0)


def test_the_row_of_another_year_or_company_is_less(reports: None, alice: User) -> None:
    for question in (
        "What were the inventories of Bralmere Foods in fiscal 2011?",
        "What were the inventories of Cormdale Networks in fiscal 2024?",
    ):
        far = seen(question, alice)
        assert far["coverage_best"] == pytest.approx(1.0), question
        assert far["unit_of_kind"] < 0.8, question
        assert far["unit_dense_fitting"] < far["unit_dense"], question


def test_words_that_stand_in_different_sentences_are_less_than_together(
    reports: None, alice: User
) -> None:
    apart = seen("How much freight did the warehouses of Bralmere Foods lease?", alice)
    assert apart["coverage_all"] == pytest.approx(1.0)
    assert apart["unit_words"] < 0.9
    together = seen("Does Bralmere Foods lease its warehouses?", alice)
    assert together["unit_words"] == pytest.approx(1.0)


def test_a_cause_or_a_person_must_stand_where_one_is_asked_for(reports: None, alice: User) -> None:
    cause = seen("Why did freight costs rise at Bralmere Foods?", alice)
    assert (cause["wants_cause"], cause["unit_of_kind"]) == (1.0, pytest.approx(0.85, abs=0.15))
    none = seen("Why does Bralmere Foods value inventories at cost?", alice)
    assert none["unit_of_kind"] < none["unit_words_around"]
    person = seen("Who is the chief financial officer of Bralmere Foods?", alice)
    assert person["unit_of_kind"] == pytest.approx(1.0)


def test_the_reason_says_what_is_not_given(reports: None, alice: User) -> None:
    strict = json.loads(BUNDLED.read_text())
    for row in strict["models"].values():
        row["least"] = 0.9999
    registry.make_live(keep(strict, "strict", "2" * 64))
    for question, said in (
        ("What were the inventories of Bralmere Foods in 2024?", "gives a figure for"),
        ("Why did freight costs rise at Bralmere Foods?", "gives a reason that concerns"),
        ("Who is the chief financial officer of Bralmere Foods?", "names a person for"),
    ):
        verdict = judge(*found(question, alice), alice)
        assert not verdict.answerable
        assert verdict.why.startswith(f"None of the passages {said} “"), verdict.why
        assert "of Bralmere Foods" in verdict.why
    assert "for 2024" in judge(
        *found("What were the inventories of Bralmere Foods in 2024?", alice), alice
    ).why  # fmt: skip


def test_a_year_that_nothing_reports_is_refused_whatever_the_words_say(
    reports: None, alice: User
) -> None:
    verdict = judge(*found("What were the inventories of Bralmere Foods in 2011?", alice), alice)
    assert (verdict.answerable, verdict.clearly_not) == (False, True)
    assert verdict.why.startswith("No document of Bralmere Foods that reports ")


def test_without_an_encoder_the_words_judge_alone(
    reports: None, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    understanding, offered = found("What were the inventories of Bralmere Foods in 2024?", alice)

    def gone(*_: Any, **__: Any) -> None:
        raise EncoderUnavailable("gone")

    monkeypatch.setattr(answerable_units.encoders, "embed", gone)
    found_out = features(understanding, offered, alice)
    assert (found_out["no_cosine"], found_out["unit_dense"]) == (1.0, 0.0)
    assert judge(understanding, offered, alice).answerable


def test_no_unit_is_no_evidence(reports: None, alice: User) -> None:
    understanding = understand("What were the inventories of Bralmere Foods?", alice)
    assert answerable_units.read_units(understanding, []) == []
    bare = features(understanding, [], alice)
    assert bare["unit_of_kind"] == bare["unit_dense"] == bare["row_label"] == 0.0


def test_stems_stand_together_or_not() -> None:
    text = "interest expense fell. " + "x" * 600 + " inventories rose"
    assert stand_together(["expense", "interest"], text)
    assert not stand_together(["interest", "inventories"], text)
    assert not stand_together(["goodwill"], text)


def test_people_s_questions_get_companies_and_near_misses(data: Path) -> None:
    rows = made_of_tables(data / "tatqa")
    assert rows == made_of_tables(data / "tatqa")
    assert len({row.text for row in rows}) == len(rows) > 1_000
    kinds = {row.kind for row in rows}
    assert kinds == {"answerable", "another's page"}
    assert all(row.company.split()[0] in row.text for row in rows)


def test_pages_of_tables_become_reports_once(
    data: Path, settings: Any, tmp_path: Path, transactional_db: None
) -> None:
    settings.MEDIA_ROOT = tmp_path
    few = tmp_path / "few"
    few.mkdir()
    for name in ("dev.json", "test_gold.json"):
        pages = json.loads((data / "tatqa" / name).read_text())[:3]
        (few / name).write_text(json.dumps(pages))
    first = take_in_pages(few)
    assert first >= 1
    assert take_in_pages(few) == first


def test_the_judge_is_scored_on_a_file(reports: None, tmp_path: Path) -> None:
    rows = [
        {"question": "What were the inventories of Bralmere Foods in 2024?", "answerable": True},
        {"question": "How many moons does Jupiter have?", "answerable": False, "kind": "outside"},
    ]
    path = tmp_path / "questions.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    score = evaluating.run(path)
    assert (score.value, score.n) == (1.0, 1)
    assert score.detail["wrong_refusals"] == [0.0, 1]
    assert score.detail["refused_by_kind"]["outside"] == [1.0, 1]
