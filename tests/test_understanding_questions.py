"""A whole question is understood: companies of the catalogue, periods, kinds, metrics, chips."""

from __future__ import annotations

from datetime import date

import pytest
from django.contrib.auth.models import User

from ingestion.metadata import company_key
from ingestion.models import Company, CompanyAlias
from ingestion.querysets import Scope
from qa.understanding import Understanding, understand
from tests.question_gold import CATALOGUE, GOLD, Row
from tests.small_corpus import document, source

TODAY = date(2026, 11, 21)


@pytest.fixture
def catalogue(db: None) -> dict[str, Company]:
    """Every company of the gold, each with a document that anyone may see."""
    rows = {
        ticker: Company.objects.create(name=name, ticker=ticker, key=company_key(name))
        for ticker, name in CATALOGUE.items()
    }
    for row in rows.values():
        document([f"About {row.name}."]).__class__.objects.filter(company=None).update(company=row)
    return rows


def read(question: str, user: User, **options: object) -> Understanding:
    return understand(question, user, as_of=TODAY, **options)  # type: ignore[arg-type]


def found(read: Understanding) -> Row:
    tickers = [company.ticker for company in read.companies]
    periods = [period.key.removeprefix("period:") for period in read.periods]
    kinds = [kind.name for kind in read.kind_reads]
    metrics = [metric.name for metric in read.metrics]
    return read.question, tickers, [a.name for a in read.ambiguous], periods, kinds, metrics


def test_the_gold_questions_are_read_right(catalogue: dict[str, Company], alice: User) -> None:
    assert len(GOLD) >= 80
    wrong = []
    for row in GOLD:
        got = found(read(row[0], alice))
        if got != row:
            wrong.append((row, got))
    assert not wrong, "\n".join(f"{row}\n   {got}" for row, got in wrong)


def test_spans_are_those_of_the_question(catalogue: dict[str, Company], alice: User) -> None:
    question = "In the 10-K, how did Johnson and Johnson’s capex move in FY2022?"
    got = read(question, alice)
    items = (*got.companies, *got.periods, *got.kind_reads, *got.metrics)
    assert [question[item.start : item.end] for item in items] == [
        "Johnson and Johnson", "FY2022", "10-K", "capex",
    ]  # fmt: skip


def test_what_is_removed_is_left_out(catalogue: dict[str, Company], alice: User) -> None:
    question = "Apple capex in FY2022 in the 10-K"
    keys = [chip.key for chip in read(question, alice).chips]
    apple = f"company:{catalogue['AAPL'].pk}"
    assert keys == [apple, "period:FY2022", "kind:annual_report", "metric:capital-expenditure"]
    without = read(question, alice, removed={apple, "period:FY2022"})
    assert [chip.key for chip in without.chips] == keys[2:]
    assert without.scope() == Scope()
    assert read(question, alice, removed=keys).chips == ()


def test_an_open_name_asks_back_and_a_choice_settles_it(
    catalogue: dict[str, Company], alice: User
) -> None:
    got = read("What did Delta report?", alice)
    assert [c.label for c in got.chips if c.ask] == [
        "Delta Air Lines", "Delta Apparel, Inc.",
    ]  # fmt: skip
    assert got.scope().companies == ()
    chosen = Scope(companies=(catalogue["DAL"].pk,))
    assert [c.ticker for c in read("What did Delta report?", alice, scope=chosen).companies] == [
        "DAL"
    ]
    assert read("What did Delta report?", alice, removed={"name:delta"}).ambiguous == ()


def test_of_several_companies_the_one_with_documents_is_meant(alice: User) -> None:
    for name in ("Delta Air Lines", "Delta Apparel, Inc."):
        Company.objects.create(name=name, key=company_key(name))
    row = document(["Fuel."])
    row.company = Company.objects.get(name="Delta Air Lines")
    row.save()
    (company,) = read("What did Delta report?", alice).companies
    assert (company.name, company.how) == ("Delta Air Lines", "part")


def test_a_company_of_hidden_documents_is_unknown_to_others(alice: User, eve: User) -> None:
    secret = Company.objects.create(name="Quorvex Robotics", key="quorvexrobotics")
    row = document(["Secret plans."], origin=source("Vault", "expert"))
    row.company = secret
    row.save()
    question = "What does Quorvex Robotics earn?"
    assert [company.id for company in read(question, eve).companies] == [secret.pk]
    hidden, absent = read(question, alice), read("What does Quorvix Roboters earn?", alice)
    assert hidden.companies == hidden.ambiguous == hidden.chips == ()
    assert hidden.unlinked == ("Quorvex Robotics",)
    assert absent.unlinked == ("Quorvix Roboters",)


def test_a_new_name_is_known_at_once(catalogue: dict[str, Company], alice: User) -> None:
    assert read("Revenue of Thornbury", alice).companies == ()
    CompanyAlias.objects.create(company=catalogue["INTC"], name="Thornbury", key="thornbury")
    assert [c.ticker for c in read("Revenue of Thornbury", alice).companies] == ["INTC"]
    Company.objects.filter(pk=catalogue["NKE"].pk).update(name="Swoosh", key="swoosh")
    assert [c.name for c in read("Swoosh revenue", alice).companies] == ["Swoosh"]


def test_the_page_s_filters_are_part_of_the_question(
    catalogue: dict[str, Company], alice: User
) -> None:
    page = Scope(companies=(catalogue["NKE"].pk,), kinds=("annual_report",), sources=(7,))
    assert read("revenue", alice, scope=page).scope() == page
    other = read("Apple revenue in FY2022", alice, scope=page).scope()
    assert other.companies == page.companies
    assert (other.sources, other.fiscal_years) == ((7,), (2023, 2022, 2021))


def test_last_quarters_are_those_of_the_company_s_documents(
    catalogue: dict[str, Company], alice: User
) -> None:
    row = document(["Call."], kind="earnings_call", fiscal_year=2024, fiscal_quarter=1)
    row.company = catalogue["NKE"]
    row.save()
    (period,) = read("Nike revenue in the last 2 quarters", alice).periods
    assert period.quarters == ((2023, 4), (2024, 1))


def test_a_comparison_gets_a_scope_for_each_company(
    catalogue: dict[str, Company], alice: User
) -> None:
    got = read("Compare capex of Home Depot and Lowe's in FY2022", alice)
    assert got.comparison
    assert [scope.companies for scope in got.scopes_by_company()] == [
        (catalogue["HD"].pk,), (catalogue["LOW"].pk,),
    ]  # fmt: skip


def test_news_is_looked_for_by_its_date(catalogue: dict[str, Company], alice: User) -> None:
    scope = read("news on Nike in March 2026", alice).scope()
    assert (scope.kinds, scope.fiscal_years) == (("news",), ())
    assert scope.published_from == date(2026, 3, 1)
