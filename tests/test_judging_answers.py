"""Answers judged against gold: figures with rounding and scale, facts, words; rather too strict."""

from __future__ import annotations

import pytest

from training.evaluation.answers import Question, judged
from training.evaluation.judging_answers import holds_gold, share_of_facts


@pytest.mark.parametrize(
    ("sentences", "gold"),
    [
        (["Purchases of property | 2018: (1,577) | 2017: (1,373) | in millions"], "$1577.00"),
        (["Capital expenditures were $1.6 billion in 2018."], "$1577.00 million"),
        (["Net sales rose 24.3% to a record."], "24.26%"),
        (["Total revenue | 2019: 8,923,486 | in thousands"], "$8.92 billion"),
        (["The board declared a dividend of $1.20 per share."], "$1.2"),
        (["Growth came from aftermarket parts and from higher prices."],
         "Higher prices and aftermarket parts grew"),
    ],
)  # fmt: skip
def test_a_right_answer_is_right(sentences: list[str], gold: str) -> None:
    assert holds_gold(sentences, gold)


@pytest.mark.parametrize(
    ("sentences", "gold"),
    [
        (["Purchases of property | 2018: (1,577) | 2017: (1,373)"], "$1,578.00"),
        (["Net sales rose 24.9%."], "24.26%"),
        (["Sales were 1,577 in 2018."], "15.77%"),
        (["Fiscal 2018 was a record year."], "2,018.4"),
        # A short figure stands in many a table, so the words must agree.
        (["Office leases | 2018: 8 | 2017: 7"], "8 new plants were opened in Europe"),
        (["The company sells shoes."], "Higher prices and aftermarket parts"),
        ([], "$1577.00"),
        (["Anything at all."], ""),
    ],
)
def test_another_answer_is_not(sentences: list[str], gold: str) -> None:
    assert not holds_gold(sentences, gold)


@pytest.mark.parametrize(
    ("question", "said", "gold", "right"),
    [
        ("What was revenue (in USD millions)?", "Revenue | 2019: 5,466,312 | in thousands",
         "$5466.00", True),
        ("What was revenue?", "Revenue | 2019: 5,466,312 | in thousands", "$5466.00", True),
        ("What was revenue in USD millions?", "Revenue was $5.47 billion.", "$5466.00", True),
        ("What were liabilities? Answer in USD billions.", "Liabilities | 2017: 4,625",
         "$4.60", True),
        ("What was revenue in millions?", "Revenue | 2019: 5,467,912 | in thousands",
         "$5466.00", False),
        ("What was revenue in USD millions?", "Revenue was $5.5 billion.", "$5466.00", True),
        ("What was revenue in USD millions?", "Revenue was $5,466 thousand.", "$5466.00", False),
        ("What was the dividend per share?", "The dividend was $1.24.", "$1.20", False),
        ("What was the fee of the $5 million loan?", "The fee was $124.", "$120", False),
    ],
)  # fmt: skip
def test_the_question_tells_the_scale_of_the_gold(
    question: str, said: str, gold: str, right: bool
) -> None:
    assert holds_gold([said], gold, question=question) is right


def test_every_fact_is_needed() -> None:
    said = ["The decrease was due to $5.1 million of premium freight.", "Margin was 37.2%."]
    assert holds_gold(said, "whatever", ["premium freight", "37.2%"])
    assert not holds_gold(said, "whatever", ["premium freight", "39.2%"])
    assert share_of_facts(said, ["premium freight", "39.2%"]) == 0.5


def test_a_refusal_is_right_only_where_there_is_no_answer() -> None:
    answerable, other = Question("q", "", "$5 million"), Question("q", "", None)
    assert judged(answerable, "not_found", []) == "refused"
    assert judged(other, "not_found", []) == "correct"
    assert judged(other, "answered", ["It was $5 million."]) == "wrong"
    assert judged(answerable, "ask_back", []) == "asked back"
    assert judged(answerable, "answered", ["It was $6 million in all."]) == "wrong"
    assert judged(Question("q", "", "$5.25 million"), "answered", ["$5.25 million"]) == "correct"
    assert judged(Question("q", "", "$5.25 million"), "lookup", ["paid $5.25 million"]) == "correct"
    # Nothing was verified: that is a refusal, whatever the state.
    assert judged(answerable, "answered", []) == "refused"
