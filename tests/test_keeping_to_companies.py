"""An answer about a named company is composed of its passages, and of those that name it."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from llm_server import Reply, drafts, serving
from reports_corpus import TODAY, embedder_of_axes, report
from reports_corpus import ask as gathered

from docintel.models import ModelVersion
from ingestion.lexical import refresh_statistics
from ingestion.models import Company, CompanyAlias, Document, Mention
from qa.asking import ask
from qa.keeping_to_companies import keep_to_companies
from qa.models import Ask, Citation
from qa.showing_receipts import receipt_lines
from qa.understanding import understand

pytestmark = pytest.mark.django_db(transaction=True)
OWN = "Freight costs of the group were 12 million dollars in 2022."
STRANGE = "Freight costs rose to 40 million dollars in 2022, the canal at Velten being closed."
NAMING = "Freight costs of 5 million dollars were charged by Tidewater, our parent, in 2022."


@pytest.fixture
def embedder(monkeypatch: pytest.MonkeyPatch) -> ModelVersion:
    return embedder_of_axes(monkeypatch)


@pytest.fixture
def library(embedder: ModelVersion) -> dict[str, Document]:
    """Tidewater's report, that of a firm that never names it, and that of its subsidiary."""
    return {
        "own": report("Tidewater Foods, Inc.", 2022, OWN, embedder=embedder),
        "other": report("Orrin Peak Company", 2022, STRANGE, embedder=embedder),
        "daughter": report("Solmere Packaging", 2022, NAMING, STRANGE, embedder=embedder),
    }


def kept(question: str, user: User, most: int = 10) -> tuple[set[str], int]:
    """The texts kept that speak of freight, and how many passages were left out."""
    understanding = understand(question, user, as_of=TODAY)
    found = gathered(question, user, limit=20)
    told = keep_to_companies(understanding, found.passages, most)
    texts = {each.text.split("\n")[0] for each in told.passages}
    return {text for text in texts if text.startswith("Freight")}, told.left_out


def test_passages_of_others_are_left_out_but_for_those_that_name_the_company(
    alice: User, library: dict[str, Document]
) -> None:
    texts, left_out = kept("What were the freight costs of Tidewater Foods in FY2022?", alice)
    assert texts == {OWN, NAMING}
    assert left_out > 0


@pytest.mark.parametrize(
    "question",
    [
        "What were freight costs in FY2022?",
        "Compare freight costs of Tidewater Foods with those of its peers in FY2022",
        "Were freight costs of Tidewater Foods in FY2022 lower than at other companies?",
    ],
)
def test_whoever_names_nobody_or_asks_of_others_gets_all(
    alice: User, library: dict[str, Document], question: str
) -> None:
    texts, left_out = kept(question, alice, most=20)
    assert texts == {OWN, NAMING, STRANGE}
    assert left_out == 0


def test_a_comparison_of_two_is_not_answered_from_a_third(
    alice: User, library: dict[str, Document]
) -> None:
    library["daughter"].delete()
    report_of_third = library["other"]
    found = gathered("Compare freight costs of Tidewater Foods and Halden Mills", alice, limit=20)
    understanding = understand("Compare freight costs of Tidewater Foods and Halden Mills", alice)
    assert report_of_third.pk in {each.passage.document_id for each in found.passages}
    told = keep_to_companies(understanding, found.passages)
    assert report_of_third.pk not in {each.passage.document_id for each in told.found}


def test_more_than_and_less_than_ask_of_nobody_else(
    alice: User, library: dict[str, Document]
) -> None:
    texts, _ = kept("Did Tidewater Foods pay more for freight in FY2022 than planned?", alice)
    assert STRANGE not in texts


def test_a_subsidiary_is_another_company_unless_its_name_is_an_alias(
    alice: User, library: dict[str, Document], embedder: ModelVersion
) -> None:
    line = "Freight costs of the cannery were 3 million dollars in 2022."
    report("Velten Canning", 2022, line, embedder=embedder)
    said = "Freight costs at Velten Canning were high in 2022, says Orrin."
    report("Orrin Peak Company", 2022, said, embedder=embedder, title="Orrin on others")
    question = "What were the freight costs of Tidewater Foods in FY2022?"
    texts, _ = kept(question, alice)
    assert not texts & {line, said}
    tidewater = Company.objects.get(name="Tidewater Foods, Inc.")
    CompanyAlias.objects.create(company=tidewater, name="Velten Canning", key="veltencanning")
    texts, _ = kept(question, alice)
    assert said in texts


def test_a_recognised_mention_counts_where_it_stands(
    alice: User, library: dict[str, Document], embedder: ModelVersion
) -> None:
    spoken = "Freight costs at the soup maker were lower in 2022."
    other = "Freight costs at the mill were higher in 2022."
    note = report("Orrin Peak Company", 2022, spoken, other, embedder=embedder, title="Orrin note")
    tidewater = Company.objects.get(name="Tidewater Foods, Inc.")
    start = note.text.index("the soup maker")
    Mention.objects.create(
        document=note, start=start, end=start + 14, kind="company", name="the soup maker",
        company=tidewater, recogniser=embedder,
    )  # fmt: skip
    texts, _ = kept("What were the freight costs of Tidewater Foods in FY2022?", alice)
    assert spoken in texts
    assert other not in texts


def test_what_is_of_no_company_must_name_it_or_nobody(
    alice: User, library: dict[str, Document], embedder: ModelVersion
) -> None:
    def news(line: str, title: str, **fields: Any) -> Document:
        row = report("x", 2022, line, embedder=embedder, title=title, kind="news", **fields)
        Document.objects.filter(pk=row.pk).update(company=None)
        return row

    about = news("Freight costs squeeze the soup maker.", "Tidewater Foods under pressure")
    others = news("Freight costs squeeze Orrin.", "Freight")
    general = news("Freight costs ease as the canal opens.", "Canal")
    now = timezone.now()
    Document.objects.filter(pk__in=[others.pk, general.pk]).update(recognised_at=now)
    Mention.objects.create(
        document=others, start=22, end=27, kind="company", name="Orrin", recogniser=embedder
    )
    unread = news("Freight costs are a matter for all.", "Not read yet")
    texts, _ = kept("What were the freight costs of Tidewater Foods in FY2022?", alice)
    lines = {row.text.split("\n")[0] for row in (about, others, general, unread)}
    assert texts & lines == {about.text.split("\n")[0], general.text.split("\n")[0]}


def test_a_name_that_is_an_everyday_word_names_nobody_by_itself(
    alice: User, library: dict[str, Document], embedder: ModelVersion
) -> None:
    report("Target Corporation", 2022, "Freight costs were 9 million dollars.", embedder=embedder)
    line = "Freight costs were above our target in 2022."
    report("Orrin Peak Company", 2022, line, embedder=embedder, title="Orrin once more")
    named = "Freight costs as at Target Corporation were low in 2022."
    report("Orrin Peak Company", 2022, named, embedder=embedder, title="Orrin on Target")
    texts, _ = kept("What were the freight costs of Target Corporation in FY2022?", alice)
    assert named in texts
    assert line not in texts


def test_a_question_in_steps_is_not_held_to_the_names_in_it(
    alice: User, library: dict[str, Document]
) -> None:
    question = "What were the freight costs of Tidewater Foods in FY2022?"
    understanding = understand(question, alice, as_of=TODAY)
    found = gathered(question, alice, limit=20)
    stepped = replace(understanding, hops=(SimpleNamespace(),))  # type: ignore[arg-type]
    assert keep_to_companies(stepped, found.passages, 20).left_out == 0


def test_what_was_left_out_makes_room_for_what_may_answer(
    alice: User, library: dict[str, Document], embedder: ModelVersion
) -> None:
    for number in range(4):
        report(f"Strange {number}", 2022, STRANGE, embedder=embedder)
    understanding = understand("Freight costs of Tidewater Foods in FY2022", alice, as_of=TODAY)
    found = gathered("Freight costs of Tidewater Foods in FY2022", alice, limit=20)
    told = keep_to_companies(understanding, found.passages, 3)
    assert len(told.found) == 3


def answers(row: Ask) -> set[int]:
    return set(Citation.objects.filter(sentence__ask=row).values_list("document", flat=True))


def test_neither_extracts_nor_a_model_answer_from_another_company(
    alice: User, library: dict[str, Document], settings: Any
) -> None:
    refresh_statistics()
    question = "What were the freight costs of Tidewater Foods in FY2022?"
    row = ask(question, alice)
    assert row.state == "answered"
    assert library["other"].pk not in answers(row)
    assert library["own"].pk in answers(row)
    left_out = row.receipt["left_out"]
    assert left_out["passages"] > 0
    assert left_out["companies"] == ["Tidewater Foods, Inc."]
    told = dict(receipt_lines(row))["Not answered from"]
    assert told.endswith("of others that do not name Tidewater Foods, Inc.")
    assert "Orrin" not in told
    with serving() as server:
        settings.OPENAI_BASE_URL = server.url
        server.script = lambda body: Reply(drafts(body, [STRANGE, OWN]))
        drafted = ask(question, alice, again=True)
    assert STRANGE not in str(server.requests[0])
    assert (drafted.mode, answers(drafted)) == ("model", {library["own"].pk})
