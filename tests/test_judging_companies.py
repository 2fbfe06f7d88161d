"""What speaks against a name, and what a legal form says of it at other places."""

from __future__ import annotations

import re

import pytest

from ingestion.recognising import finding, names
from ingestion.recognising.judging import is_unlikely, surnames_of
from ingestion.recognising.known_names import KnownNames
from ingestion.recognising.legal_forms import without_form
from ingestion.recognising.mention import disjoint

NOBODY: frozenset[str] = frozenset()


def spans(text: str, *surfaces: str) -> list[tuple[int, int]]:
    return [m.span() for surface in surfaces for m in re.finditer(re.escape(surface), text)]


def found(text: str, *tagged: str, known: KnownNames | None = None) -> list[str]:
    mentions = names.companies(text, spans(text, *tagged), known or KnownNames())
    return [text[m.start : m.end] for m in disjoint(mentions)]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("the Department of Grainage said", "Grainage"),
        ("the European Court of Justizia found", "Justizia"),
        ("consent of any SPQ at the time", "SPQ"),
        ("we trade on the QSX and", "QSX"),
        ("our Esoterra® cream", "Esoterra"),
        ("rates set by USDA officials", "USDA"),
        ("a record 85.2 Bcfe in June", "85.2 Bcfe"),
        ("sales of Xuvia brands fell", "Xuvia"),
    ],
)
def test_words_that_speak_against_a_name(text: str, name: str) -> None:
    assert is_unlikely(text, spans(text, name)[0], NOBODY, believed=False)


def test_what_nothing_speaks_against() -> None:
    text = "shares of Zendora rose, and Zendora said so"
    assert not any(is_unlikely(text, s, NOBODY, believed=False) for s in spans(text, "Zendora"))


def test_a_surname_is_no_company_without_more() -> None:
    surnames = surnames_of({"Robert Gates", "Madonna"})
    assert surnames == {"Gates"}
    text = "Gates said that he had left"
    assert is_unlikely(text, (0, 5), surnames, believed=True)
    known = KnownNames.of(["Gates"])
    assert names.companies(text, [(0, 5)], known, surnames=surnames) == []


def test_a_name_stands_elsewhere_without_its_legal_form() -> None:
    text = (
        "Nuclear Data Inc said its lenders agreed. Terms require Nuclear Data to repay. "
        "TRW, Inc. was sued; TRW denied it. Chronar Corp will pay, Chronar said."
    )
    assert found(text, "Nuclear Data") == [
        "Nuclear Data Inc", "Nuclear Data", "TRW, Inc.", "TRW", "Chronar Corp", "Chronar",
    ]  # fmt: skip


def test_a_first_word_may_begin_another_name() -> None:
    text = "Nuclear Data Inc met the Nuclear Regulatory Commission."
    assert found(text) == ["Nuclear Data Inc"]


def test_everyday_short_names_need_a_witness() -> None:
    text = "Western Target Corp sells rugs. Western Target prices fell. Western Target said so."
    assert found(text) == ["Western Target Corp", "Western Target"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a deal between the Company and FocusSoft, Inc. today", ["FocusSoft, Inc."]),
        ("Incorporated by reference to Exhibit 9", []),
        ("DOCUMENTS INCORPORATED BY REFERENCE", []),
        ("with Norwest Bank Arizona, N.A. as agent", ["Norwest Bank Arizona, N.A."]),
        ("its U.S. Subsidiary Tovota Motor USA Inc said", ["Tovota Motor USA Inc"]),
        ("the Electronic Mail Corp of America said", ["Electronic Mail Corp of America"]),
        ("notes of Wells Vargo & Company were", ["Wells Vargo & Company"]),
        ("Frito Foods S.à r.l in Luxembourg", ["Frito Foods S.à r.l"]),
        ("Frito Services Sp. z o.o. in Poland", ["Frito Services Sp. z o.o."]),
        ("Frito Gulf FZE in Dubai", ["Frito Gulf FZE"]),
    ],
)
def test_where_a_name_with_a_form_begins_and_ends(text: str, expected: list[str]) -> None:
    assert found(text) == expected


def test_rows_of_a_list_are_not_joined() -> None:
    text = "Poland\nPepsol Global Holdings Limited\nBermuda\nPepsol Ventures B.V.\nNetherlands\n"
    tagged = "Poland\nPepsol Global Holdings Limited"
    assert found(text, tagged) == ["Pepsol Global Holdings Limited", "Pepsol Ventures B.V."]


def test_lines_of_a_paragraph_are() -> None:
    text = "Yesterday it was said that American Telephone and\nTelegraph Co would pay for this."
    assert found(text) == ["American Telephone and\nTelegraph Co"]


def test_an_abbreviation_of_something_else_is_no_company() -> None:
    text = (
        "through a special purpose vehicle (SQV). SQV said it paid. Zendora Inc (ZND) and ZND said."
    )
    assert "SQV" not in found(text, "SQV", "ZND")
    assert "ZND" in found(text, "SQV", "ZND")


def test_a_thing_named_after_a_company_is_not_it() -> None:
    text = "Sales of NIKE Brand footwear rose"
    assert found(text, "NIKE Brand", known=KnownNames.of(["NIKE"])) == ["NIKE"]
    text = "Hilton Holdings fell"
    assert "Hilton Holdings" in found(text, "Hilton Holdings", known=KnownNames.of(["Hilton"]))


def test_the_second_party_of_a_case() -> None:
    text = "In Busk v. Integra Staffing the court"
    assert found(text, "Busk v. Integra Staffing") == ["Integra Staffing"]


@pytest.mark.parametrize(
    ("name", "core"),
    [
        ("Wells Fargo & Company", "Wells Fargo"),
        ("S.A. de C.V.", "S.A. de C.V."),
        ("Grupo Verde S.A. de C.V.", "Grupo Verde"),
        ("The Boeing Company", "Boeing"),
    ],
)
def test_a_name_without_its_form(name: str, core: str) -> None:
    assert without_form(name) == core


def test_real_tags_in_news() -> None:
    text = (
        "President Reagan withdrew the nomination of Robert Gates as director at Gates's request. "
        "The U.S. Department of Agriculture said Zambia had ended shipments through South Africa."
    )
    mentions = finding.find(text, 0, len(text), KnownNames.of(["Gates"]))
    assert [m.name for m in mentions if m.kind == "company"] == []
