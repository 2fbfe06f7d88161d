"""Questions are mined from filings' own rows and headings, and graded by where a passage stands."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from small_corpus import document

from ingestion.models import Chunk, Document
from qa.passages import passage_of
from training.learning.ranker_questions import Mined, grade, mine
from training.learning.rewording import Rewording

pytestmark = pytest.mark.django_db
TEXT = "Net sales 1,200 1,100\nFreight and handling 80 75\nPurchases of property, plant and equipment (41) (38)"  # noqa: E501


def filing(year: int, company: str = "Tidewater Foods") -> Document:
    row = document(
        [TEXT, f"We of {company} shipped by canal in {year}."],
        company=company, fiscal_year=year, kind="annual_report",
        tables=[{"start": 0, "end": len(TEXT), "caption": "", "heads": f"{year} {year - 1}",
                 "scale": "", "rows": spans(TEXT)}],
        sections=[{"title": "Shipping by canal", "level": 1, "start": len(TEXT) + 1}],
    )  # fmt: skip
    Chunk.objects.filter(document=row, ordinal=0).update(statement="cash_flow")
    Chunk.objects.filter(document=row, ordinal=1).update(section="Part I › Shipping by canal")
    return row


def spans(text: str) -> list[tuple[int, int]]:
    found, at = [], 0
    for line in text.split("\n"):
        found.append((at, at + len(line)))
        at += len(line) + 1
    return found


def graded(mined: Mined, row: Document, ordinal: int) -> int:
    return grade(mined, passage_of(Chunk.objects.get(document=row, ordinal=ordinal), row, 0.0), row)


def test_rows_metrics_and_headings_become_questions_with_company_and_year() -> None:
    row = filing(2022)
    found = list(mine([row], Rewording(())))
    assert {"metric", "row", "heading"} <= {each.sort for each in found}
    assert found == list(mine([row], Rewording(())))
    for each in found:
        assert "Tidewater Foods" in each.text
        assert (each.company, each.year, each.document) == (row.company_id, 2022, row.pk)
    assert any("freight and handling" in each.text for each in found if each.sort == "row")


def test_labels_and_headings_are_asked_for_in_other_words_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    near = {"freight": 0, "carriage": 0, "handling": 1, "loading": 1, "shipping": 2, "sending": 2,
            "canal": 3, "waterway": 3}  # fmt: skip

    def embed(words: Sequence[str]) -> np.ndarray:
        return np.array([np.eye(len(near))[near[word]] for word in words], dtype=np.float32)

    monkeypatch.setattr("docintel.encoders.embed", embed)
    rewording = Rewording([" ".join([*near] * 5)])
    row = filing(2022)
    found = [mined for seed in range(9) for mined in mine([row], rewording, seed)]
    labels = [each for each in found if each.sort == "row reworded"]
    assert labels
    assert all("carriage loading" in each.text for each in labels)
    assert {each.labels for each in labels} == {(("freight", "and", "handling"),)}
    headings = [each for each in found if each.sort == "heading reworded"]
    assert headings
    assert all("sending waterway" in each.text for each in headings)
    assert {each.heading for each in headings} == {"shipping by canal"}
    # The same are asked for in their own words as well.
    assert {"row", "heading"} <= {each.sort for each in found}


def test_the_years_own_statement_is_graded_best_and_another_company_never() -> None:
    mine_row, next_year, other = filing(2022), filing(2023), filing(2022, "Halden Mills")
    asked = Mined(
        "", "metric", mine_row.company_id or 0, 2022, mine_row.pk,
        labels=(("purchase", "of", "property"),), statements=("cash_flow",),
    )  # fmt: skip
    assert graded(asked, mine_row, 0) == 3
    assert graded(asked, mine_row, 1) == 0
    assert graded(asked, next_year, 0) == 1
    assert graded(asked, other, 0) == 0
    Chunk.objects.filter(document=mine_row, ordinal=0).update(statement="mdna")
    assert graded(asked, mine_row, 0) == 1


def test_a_heading_is_answered_by_what_stands_under_it() -> None:
    row = filing(2022)
    asked = Mined("", "heading", row.company_id or 0, 2022, row.pk, heading="shipping by canal")
    assert (graded(asked, row, 0), graded(asked, row, 1)) == (0, 3)
