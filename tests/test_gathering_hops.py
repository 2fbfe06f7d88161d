"""A question in several steps is followed step by step, with the companies between them shown."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group, User
from reports_corpus import ask, embedder_of_axes, report
from small_corpus import source

from docintel.models import ModelVersion

pytestmark = pytest.mark.django_db
NOTED = "Freight shortages hit our plants."
FELL = "Margin compression followed."


@pytest.fixture
def embedder(monkeypatch: pytest.MonkeyPatch) -> ModelVersion:
    return embedder_of_axes(monkeypatch)


@pytest.fixture
def quarters(embedder: ModelVersion) -> None:
    """Of three companies two noted shortages in the first quarter, one of them and a third fell."""
    said = {
        "Tidewater Foods": ((1, NOTED), (2, FELL)),
        "Halden Mills": ((1, NOTED), (2, "Sales were flat.")),
        "Orrin Mining": ((1, "Ore was plentiful."), (2, FELL)),
    }
    for company, reports in said.items():
        for quarter, text in reports:
            report(
                company, 2024, text, embedder=embedder, kind="quarterly_report",
                fiscal_quarter=quarter, title=f"{company} Q{quarter}",
            )  # fmt: skip


def test_companies_of_both_steps_are_intersected_and_shown(alice: User, quarters: None) -> None:
    found = ask(
        "Which companies that mentioned freight shortages in Q1 2024 reported margin compression "
        "in Q2 2024?",
        alice,
    )
    first, second = found.hops
    assert (first.relation, second.relation) == ("first", "intersect")
    assert {each.name for each in first.companies} == {"Tidewater Foods", "Halden Mills"}
    assert [each.name for each in second.companies] == ["Tidewater Foods"]
    assert {each.group for each in found.passages} == {"Tidewater Foods"}
    texts = [each.passage.text.strip() for each in found.passages]
    assert {NOTED, FELL} <= set(texts)


def test_a_step_that_finds_nobody_says_so(alice: User, quarters: None) -> None:
    found = ask(
        "Which companies that mentioned volcanic eruptions in Q1 2024 reported margin compression "
        "in Q2 2024?",
        alice,
    )
    assert [each.companies for each in found.hops] == [()]
    assert any(note.startswith("No company was found for: Which companies") for note in found.notes)


def test_what_the_first_step_found_is_asked_in_the_next(
    alice: User, quarters: None, embedder: ModelVersion
) -> None:
    report("Bayline", 2024, "We acquired Nordholt Freight in May.", embedder=embedder)
    report("Bayline", 2023, "Capital spending was 41 million dollars.", embedder=embedder)
    found = ask(
        "What was the capital spending in 2023 of the company that acquired Nordholt Freight?",
        alice,
    )
    first, then = found.hops
    assert [each.name for each in first.companies] == ["Bayline"]
    assert then.relation == "then"
    assert "Bayline" in then.question
    texts = [each.passage.text.strip() for each in found.passages]
    assert "Capital spending was 41 million dollars." in texts[:3]
    assert {each.group for each in found.passages} == {"Bayline"}


def test_a_hidden_company_is_no_step_between(
    alice: User, quarters: None, embedder: ModelVersion
) -> None:
    Group.objects.create(name="vault")
    vault = source("Vault", "vault")
    for quarter, text in ((1, NOTED), (2, FELL)):
        report(
            "Secret Mills", 2024, text + " In secret.", embedder=embedder, origin=vault,
            kind="quarterly_report", fiscal_quarter=quarter,
        )  # fmt: skip
    found = ask(
        "Which companies that mentioned freight shortages in Q1 2024 reported margin compression "
        "in Q2 2024?",
        alice,
    )
    assert "Secret Mills" not in {each.name for hop in found.hops for each in hop.companies}
