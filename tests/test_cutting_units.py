"""What a passage is cut into, and that each piece is verified as it is shown."""

from __future__ import annotations

import pytest

from qa.checking.evidence import Evidence, Header, Source
from qa.checking.figures import Claim
from qa.checking.quoting import fold
from qa.checking.verbatim import is_verbatim
from qa.extractive.asked_kinds import asked_for
from qa.extractive.cutting_units import Unit, units
from qa.extractive.unit_features import ENUMERATION
from qa.verifying import Drafted, Dropped, Verified, verify

RELEASE = """"We spent the year earning back trust," said Thomas Ekwueme, chief executive officer.
Outlook
• Net sales: $750 million to $775 million
• Diluted earnings per share: $2.15 to $2.35
Net sales by segment
(in millions)
3 mo. Dec 2024 | 3 mo. Dec 2023 | Change
Instruments | 68.7 | 60.9 | +12.8%
"""
WORDED = """Outlook
Net sales: $415 million to $430 million for the first quarter of fiscal 2024
Gross margin: about 55.5%
Title of each class | Trading symbol
Common Stock, par value $0.01 | KSTB | New York Stock Exchange
In our opinion the statements present fairly, in all respects, the position at year end. Dunn LLP
"""
ROWS = """Depreciation by reportable segment were:
2023 | 2022 | 2021
(in millions)
Other | 8 | 9 | 10
Deferred revenue (Note 5) | 148 | 152 | 160
Debentures, 5.45%, due 2079 | 1,086 | 1,084 | 1,080
"""
NO_HEAD = """Warehouses by year
2014 | 30 | $108
Totals | 838 | 160 | 164
"""


def cut(text: str) -> list[Unit]:
    return units(text, 0, len(text))


def shown(text: str) -> list[str]:
    return [unit.shown for unit in cut(text)]


def quotes(text: str, unit: Unit) -> tuple[tuple[str, str], ...]:
    low = unit.group[0] if unit.group is not None else unit.start
    return (("p1", text[low : unit.end]),)


def test_items_of_a_list_stand_under_its_title() -> None:
    assert shown(RELEASE)[1:] == [
        "Outlook: Net sales: $750 million to $775 million",
        "Outlook: Diluted earnings per share: $2.15 to $2.35",
        "Instruments | 3 mo. Dec 2024: 68.7 | 3 mo. Dec 2023: 60.9 | Change: +12.8% | in millions",
    ]


def test_labelled_lines_rows_of_words_and_signatures_are_kept() -> None:
    assert shown(WORDED)[:2] == [
        "Outlook: Net sales: $415 million to $430 million for the first quarter of fiscal 2024",
        "Outlook: Gross margin: about 55.5%",
    ]
    assert "Common Stock, par value $0.01 | KSTB | New York Stock Exchange" in shown(WORDED)
    assert shown(WORDED)[-1].endswith("year end. Dunn LLP")


@pytest.mark.parametrize("text", [RELEASE, WORDED, ROWS])
def test_every_piece_is_verified_as_it_is_shown(text: str) -> None:
    source = Source(1, text, 0, len(text), Header("Halden"))
    for unit in cut(text):
        found = verify(Drafted(unit.shown, quotes(text, unit)), {"p1": source})
        assert isinstance(found, Verified), (unit.shown, found)


def test_a_row_whose_label_holds_figures_is_verified_but_not_with_others() -> None:
    source = Source(1, ROWS, 0, len(ROWS), Header("Halden"))
    row = next(unit for unit in cut(ROWS) if unit.shown.startswith("Debentures"))
    for old, new in (("5.45%", "5.54%"), ("2079", "2078"), ("1,086", "1,084"), ("2023", "2022")):
        assert old in row.shown
        changed = row.shown.replace(old, new)
        found = verify(Drafted(changed, quotes(ROWS, row)), {"p1": source})
        assert isinstance(found, Dropped), changed


def test_a_group_that_is_not_quoted_is_not_shown() -> None:
    source = Source(1, ROWS, 0, len(ROWS), Header("Halden"))
    row = next(unit for unit in cut(ROWS) if "Other" in unit.shown)
    assert row.shown.startswith("Depreciation by reportable segment were: Other | 2023: 8")
    near = ROWS[ROWS.index("2023") : row.end]
    assert isinstance(verify(Drafted(row.shown, (("p1", near),)), {"p1": source}), Dropped)
    false = row.shown.replace("Depreciation", "Amortisation")
    assert isinstance(verify(Drafted(false, quotes(ROWS, row)), {"p1": source}), Dropped)


def test_a_row_of_figures_is_no_head_of_the_next() -> None:
    assert "2014: 838" not in " ".join(shown(NO_HEAD))


UNDER_HEADING = """Parts increased 3.8%.
Gross margin
Gross margin decreased 300 basis points to 22.0%, almost entirely from lower absorption of fixed
cost and from higher incentives. The gross figure is lower.
"""
NARROW = """The company denies that it
Sales rose by 5% in the year
and did not say so.
"""


def verbatim(text: str, sentence: str) -> bool:
    start = " ".join(text.split()).index(sentence)
    assert len(text.rstrip()) == len(" ".join(text.split()))
    source = Source(1, text, 0, len(text), Header("Halden"))
    evidence = Evidence(source, start, start + len(sentence))
    return is_verbatim(Claim(fold(sentence)), [evidence])


def test_a_sentence_under_a_heading_stands_by_itself() -> None:
    whole = " ".join(UNDER_HEADING.split("\n")[2:4]).split(" The gross")[0]
    assert verbatim(UNDER_HEADING, whole)


def test_a_wrapped_part_of_a_sentence_is_no_sentence() -> None:
    for text in (NARROW, NARROW.replace(" that it", ""), NARROW.replace("The company", "It")):
        assert not verbatim(text, "Sales rose by 5% in the year")


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("What did Halden guide to for 2024?", "outlook"),
        ("Which brands does Tidemarsh own?", "listing"),
        ("Why did gross margin fall?", "cause"),
    ],
)
def test_what_kind_of_answer_is_asked_for(question: str, kind: str) -> None:
    assert getattr(asked_for(question), kind)


def test_an_enumeration_is_recognised() -> None:
    assert ENUMERATION.search("We operate in five segments: Aeronautics, Missiles and Space.")
    assert ENUMERATION.search("Its brands include Marsh & Linen, Brightstep, and Old Harbor.")
    assert not ENUMERATION.search("Net sales rose by 5%.")


def test_the_name_of_a_part_of_a_report_is_no_sentence() -> None:
    text = "Table of Contents\n\nItem 1A. Risk Factors\n\nItem 2. Properties. We own a mill.\n"
    assert [unit.shown for unit in units(text, 0, len(text))] == ["We own a mill."]
