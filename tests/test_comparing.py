"""What changed between two revisions: restated figures with their label first, then passages."""

from __future__ import annotations

from ingestion.comparing import MOST_CHANGES, compare, pieces

EARLIER = """FORM 10-K

Net sales of the year came to $412.0 million, as much as the year before. We sold more salt
and fewer crates.

(in millions)            2023     2022
Revenue                 412.0    399.4
Cost of sales          (231.5)  (220.0)
Gross profit            180.5    179.4

Our crews work in nine harbours. The winters were mild.

We have no debt.
"""
LATER = """FORM 10-K

Net sales of the year came to $388.0 million, as much as the
year before. We sold more salt and fewer crates.

(in millions)            2023     2022
Revenue                 388.0    399.4
Cost of sales          (239.1)  (220.0)
Gross profit            148.9    179.4

Our crews work in nine harbours and two depots. The winters were mild.

A lender has waived a covenant.
"""


def test_restated_figures_come_with_their_row_or_sentence() -> None:
    found = compare(EARLIER, LATER)
    assert [(f.label, f.earlier, f.later) for f in found.figures] == [
        (
            "Net sales of the year came to $412.0 million, as much as the year before.",
            "$412.0",
            "$388.0",
        ),
        ("Revenue", "412.0", "388.0"),
        ("Cost of sales", "(231.5)", "(239.1)"),
        ("Gross profit", "180.5", "148.9"),
    ]
    revenue, cost = found.figures[1], found.figures[2]
    assert round(revenue.change or 0, 1) == -5.8
    assert round(cost.change or 0, 1) == -3.3


def test_offsets_spell_the_figures() -> None:
    for figure in compare(EARLIER, LATER).figures:
        assert EARLIER[slice(*figure.earlier_span)] == figure.earlier
        assert LATER[slice(*figure.later_span)] == figure.later


def test_passages_show_the_words_that_came_and_went() -> None:
    found = compare(EARLIER, LATER)
    runs = [[run for run in change.runs if run[0] != "same"] for change in found.changes]
    assert runs == [
        [("gone", "harbours. "), ("new", "harbours and two depots. ")],
        [("gone", "We have no debt.")],
        [("new", "A lender has waived a covenant.")],
    ]
    assert found.changes[1].later_span is None
    assert found.changes[2].earlier_span is None


def test_other_line_breaks_are_no_change() -> None:
    words = "One two three four five six seven. " * 5
    assert compare(words, words.replace(" ", "\n")) == compare("", "")


def test_a_figure_in_a_reworded_sentence_is_restated_too() -> None:
    found = compare(
        "We expect sales of 40 million dollars next year.",
        "We now expect sales of 35 million dollars in the next year.",
    )
    assert [(f.earlier, f.later) for f in found.figures] == [("40", "35")]
    assert len(found.changes) == 1


def test_an_inserted_row_moves_no_figure() -> None:
    table = "Salt 10 20\nCrates 30 40\nRope 50 60\n"
    found = compare(table, "Salt 10 20\nTar 7 8\nCrates 30 40\nRope 51 60\n")
    assert [(f.label, f.earlier, f.later) for f in found.figures] == [("Rope", "50", "51")]
    assert [change.runs for change in found.changes] == [[("new", "Tar 7 8")]]


def test_a_table_row_is_a_piece_and_running_text_one_paragraph() -> None:
    keys = [piece.key for piece in pieces(EARLIER)]
    assert "Revenue 412.0 399.4" in keys
    assert any(key.startswith("Net sales") and key.endswith("fewer crates.") for key in keys)


def test_long_texts_are_compared_within_a_bound() -> None:
    earlier = "\n\n".join(
        f"Paragraph {n} of salt, number {n * 7}, and rope." for n in range(20_000)
    )
    later = "\n\n".join(f"Clause {n} of tar and {n * 3} crates by sea." for n in range(20_000))
    found = compare(earlier, later)
    assert found.cut
    assert len(found.changes) == MOST_CHANGES
    assert found.more > 0


def test_the_same_line_thousands_of_times_hides_no_change() -> None:
    earlier = "Total 0\n" * 5_000 + "Salt 4 5\n" + "Total 0\n" * 5_000
    later = "Total 0\n" * 5_000 + "Tar 4 5\nRope 1 2\n" + "Total 0\n" * 4_000 + "End 9 9\n"
    runs = [change.runs for change in compare(earlier, later).changes]
    assert runs[:2] == [[("gone", "Salt "), ("new", "Tar "), ("same", "4 5")],
                        [("new", "Rope 1 2")]]  # fmt: skip
    # What was paired and is the same is no change.
    assert [run for run in runs if [kind for kind, _ in run] == ["same"]] == []
