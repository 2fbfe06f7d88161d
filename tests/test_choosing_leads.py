"""The place of a document that a card quotes: no cover, no contents, no formula of lawyers."""

from __future__ import annotations

import pytest

from feed.choosing_leads import Passage, lead, sentences

COVER = (
    "UNITED STATES SECURITIES AND EXCHANGE COMMISSION\nWashington, D.C. 20549\nFORM 10-K\n"
    "Indicate by check mark whether the registrant is a well-known seasoned issuer. Yes No\n"
    "Two Jericho Plaza, Suite 200 Jericho (Address of principal executive offices) (Zip Code).\n"
    "Portions of the proxy statement are incorporated by reference into Part III of this report."
)
CONTENTS = "Table of Contents\nItem 1. Business | 4\nItem 7. Management's Discussion | 31"
BUSINESS = "Item 1. Business\nAcme makes pumps and valves for water works in eleven countries."
MANAGED = (
    "Item 7. Management's Discussion and Analysis\n"
    "The following should be read in conjunction with the consolidated statements and the notes.\n"
    "Overview\nAcme is a maker of pumps whose customers are mostly the water works of towns.\n"
    "Net sales | 120 | 100\n"
    "Net sales increased by 20 percent because the new plant in Ohio was open\n"
    "for the whole of the year. Costs rose less."
)


def passages(*texts: str, managed: str = "") -> tuple[list[Passage], str]:
    made, whole = [], ""
    for text in texts:
        made.append(Passage(len(whole), text, "mdna" if text == managed else ""))
        whole += f"{text}\n\n"
    return made, whole


def quoted(found: list[Passage], whole: str, title: str = "Acme 10-K", *, telling: bool) -> str:
    return whole[lead(found, title, telling=telling) :].partition("\n")[0]


def test_a_report_is_quoted_where_management_says_what_moved() -> None:
    made, whole = passages(COVER, CONTENTS, BUSINESS, MANAGED, managed=MANAGED)
    assert quoted(made, whole, telling=True).startswith("Net sales increased by 20 percent")


def test_without_figures_the_first_that_is_said() -> None:
    plain = MANAGED.partition("Net sales")[0]
    made, whole = passages(COVER, CONTENTS, BUSINESS, plain, managed=plain)
    assert quoted(made, whole, telling=True).startswith("Acme is a maker of pumps")
    made, whole = passages(COVER, CONTENTS, BUSINESS)
    assert quoted(made, whole, telling=True).startswith("Acme makes pumps and valves")


CALL = (
    "It is my pleasure to hand over to Lily Tran. In the room is our chief financial officer too.\n"
    "Please keep to one question and one follow-up, we have a full queue.\n"
    "You all saw the pictures from Garrow Point, where our resin came from.\n"
    "{}\n"
    "The next question is from Owen Castellan of Brightwater Lane Capital."
)


@pytest.mark.parametrize(
    ("said", "begins"),
    [
        ("Our sales for the whole quarter came to $409.4 million against $406.0 million.", "Our"),
        ("Fire insurance works against losses, above the $3 million we keep.", "Fire"),
        ("Guidance for the year stands at $2.40 to $2.50 a share.", "Guidance for"),
        ("The trucks of our second supplier were full again in March.", "You all saw"),
    ],
)
def test_a_call_is_not_quoted_where_it_speaks_of_itself(said: str, begins: str) -> None:
    made, whole = passages(CALL.format(said))
    assert whole[lead(made, "Tidemarsh Q1", telling=True) :].startswith(begins)


def test_news_begin_with_their_first_sentence_and_not_with_their_title() -> None:
    title = "Acme to build a second plant for pumps in Ohio next year."
    text = f"{title}\n\nThe board of Acme agreed to spend $40 million on it, it said on Friday."
    made, whole = passages(text)
    assert quoted(made, whole, title, telling=False).startswith("The board of Acme")


def test_a_title_in_one_with_the_first_sentence_is_left_out() -> None:
    title = "Kestrin: fourth quarter of fiscal 2024 sales $253.9 million, per share $0.66"
    said = "FREDERICK, Md., February 10 - Kestrin Biologics today announced results of the quarter."
    made, whole = passages(f"{title}\n{said}")
    assert quoted(made, whole, title, telling=False) == said
    made, whole = passages(title)
    assert lead(made, title, telling=False) == 0


@pytest.mark.parametrize(
    "text",
    ["", "a", "1 | 2 | 3", COVER, CONTENTS, "and so it ended in the middle of a sentence here."],
)
def test_where_nothing_is_said_it_is_the_beginning(text: str) -> None:
    made, _ = passages(text)
    assert lead(made, "Acme", telling=True) == 0
    assert lead([], "Acme", telling=False) == 0


def test_a_line_that_the_page_broke_is_one_sentence_and_a_heading_none_of_it() -> None:
    said = [MANAGED[low:high] for low, high in sentences(MANAGED)]
    assert "Overview" in said
    assert any(s.endswith("because the new plant in Ohio was open\nfor the whole of the year.")
               for s in said)  # fmt: skip
