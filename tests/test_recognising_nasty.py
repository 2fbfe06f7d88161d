"""Company names that are everyday words, people or other companies: linked right, or not at all."""

from __future__ import annotations

import string
from random import Random

import pytest

from ingestion.recognising import amounts, dates, metrics, names, people
from ingestion.recognising.contexts import by_context
from ingestion.recognising.known_names import KnownNames, names_of
from ingestion.recognising.matching import Entry, Matcher, link
from ingestion.recognising.mention import disjoint

LISTED = [
    "Target", "Gap", "Block", "Meta Platforms", "Ally Financial", "Visa", "Apple Inc.", "3M",
    "General Mills", "General Motors", "JPMorgan Chase", "Ford Motor Company", "Best Buy",
]  # fmt: skip
MATCHER = Matcher.of([Entry(number, name) for number, name in enumerate(LISTED)])
KNOWN = KnownNames.of([*LISTED, *(names.without_form(name) for name in LISTED)])


def found_in(text: str, tagged: tuple[str, ...] = ()) -> list[tuple[str, str | None]]:
    """(surface, linked company) of each; `tagged` are what a tagger calls organisations."""
    spans = [(text.index(name), text.index(name) + len(name)) for name in tagged]
    mentions = disjoint(names.companies(text, spans, KNOWN))
    ids = link(mentions, MATCHER, None, [])
    return [
        (text[m.start : m.end], None if company is None else LISTED[company])
        for m, company in zip(mentions, ids, strict=True)
    ]


@pytest.mark.parametrize(
    "text",
    [
        "Our target is to close the gap, block by block, with an ally and a visa.",
        "The Target Date was met, and the Gap between Block A and Block B closed.",
        "She baked an apple pie. Apple pie is popular.",
        "Please meta tag each general purpose page.",
    ],
)
def test_everyday_words_are_no_companies(text: str) -> None:
    assert [name for name, company in found_in(text) if company] == []


@pytest.mark.parametrize(
    ("text", "tagged", "company"),
    [
        ("Target Corporation reported net sales.", (), "Target"),
        ("The Gap, Inc. closed stores.", (), "Gap"),
        ("Visa Inc. announced results.", (), "Visa"),
        ("Block, Inc. acquired a bank.", (), "Block"),
        ("Ally Financial Inc. lends.", (), "Ally Financial"),
        ("General Mills makes cereal.", (), "General Mills"),
        ("General Motors makes cars.", (), "General Motors"),
        ("3M said sales rose.", ("3M",), "3M"),
        ("Apple Inc. said sales rose.", (), "Apple Inc."),
    ],
)
def test_the_same_words_are_companies_where_the_text_says_so(
    text: str, tagged: tuple[str, ...], company: str
) -> None:
    assert [linked for _, linked in found_in(text, tagged)] == [company]


def test_general_alone_is_neither_of_the_two() -> None:
    text = "General Mills and General Motors spoke. General said no."
    assert [company for _, company in found_in(text, ())] == ["General Mills", "General Motors"]
    assert MATCHER.company("General") is None


def test_a_person_named_like_a_bank_is_not_linked() -> None:
    text = "Mr. Chase and Mary Chase left. Ms. Ford stays."
    assert [company for _, company in found_in(text) if company] == []
    assert MATCHER.company("Chase") is None
    assert MATCHER.company("Mary Chase") is None


def test_context_makes_a_company_of_an_unknown_name() -> None:
    text = "They bought shares of Quillon. Quillon’s subsidiary Halvex agreed. Mary said so."
    found = {text[start:end] for start, end in by_context(text, [], [])}
    assert "Quillon" in found
    assert "Mary" not in found
    again = [text[start:end] for start, end in by_context(text, [], [])]
    assert again.count("Quillon") == 2


def test_a_measure_of_a_company_is_no_company() -> None:
    text = "NOI growth and the NAV plan helped; IS&GS business segment fell."
    tagged = [(text.index(word), text.index(word) + len(word)) for word in ("NOI", "NAV")]
    assert list(by_context(text, tagged, [])) == []


def test_one_short_name_of_two_companies_is_linked_to_neither() -> None:
    matcher = Matcher.of([Entry(1, "Delta Air Lines"), Entry(2, "Delta Apparel")])
    text = "Delta Air Lines, Inc. met Delta Apparel, Inc. Delta won."
    mentions = disjoint(
        names.companies(text, [(text.rindex("Delta"), len(text) - 5)], KnownNames())
    )
    assert link(mentions, matcher, None, [])[:2] == [1, 2]
    assert all(company is None for company in link(mentions, matcher, None, [])[2:])


def test_a_definition_some_words_later() -> None:
    text = 'Thanos Holdings Limited, a company limited by shares ("Thanos Holdings"), agreed.'
    found = names.companies(text, [], KnownNames())
    assert found[0].value["short"] == "Thanos Holdings"


def test_ranges_words_and_signatures() -> None:
    text = "Revenue of $510-530 million, $250,000 CAD, 20-50% and one hundred ten percent (110%)"
    found = [
        text[m.start : m.end] for m in disjoint([*amounts.money(text), *amounts.percents(text)])
    ]
    assert found == [
        "$510-530 million", "$250,000 CAD", "20-50%", "one hundred ten percent", "110%",
    ]  # fmt: skip
    money = next(iter(amounts.money(text)))
    assert (money.value["amount"], money.value["to"]) == ("510000000", "530000000")
    dated = [m.name for m in disjoint(dates.dates("in March; notes due 2060; March, 28 2020"))]
    assert dated == ["--03", "2060", "2020-03-28"]


ODD = string.ascii_letters + string.digits + " .,;:()&$%€£’'\"-/\n\t\r\u00a0\u200b\u2028é中🙂\u0301"
SEEDS = [
    "Acme Corp.", "$1.2 billion", "(0.3)%", "June 30, 2024", "Q1 FY2024", "/s/ A. B. Smith",
    "Mr. Ünal", "Block, Inc. (the “Company”)", "shares of Quillon", "twenty percent",
    "US$\n5\nmillion",
]  # fmt: skip


def odd_text(random: Random) -> str:
    pieces = [
        random.choice(SEEDS)
        if random.random() < 0.3
        else "".join(random.choices(ODD, k=random.randrange(40)))
        for _ in range(random.randrange(1, 12))
    ]
    return random.choice(["", " ", "\n"]).join(pieces)


@pytest.mark.parametrize("seed", range(200))
def test_offsets_spell_what_they_name_in_any_text(seed: int) -> None:
    text = odd_text(Random(seed))
    filer = names_of(["Acme Corp."])
    found = [
        *names.companies(text, [(0, len(text) // 2)], KNOWN, filer),
        *names.references(text), *people.people(text, [(0, len(text) // 3)]),
        *amounts.money(text), *amounts.percents(text), *dates.dates(text), *dates.periods(text),
        *metrics.metrics(text),
    ]  # fmt: skip
    for mention in found:
        assert 0 <= mention.start < mention.end <= len(text)
        surface = text[mention.start : mention.end]
        assert surface == surface.strip("\n\t ")
        if mention.kind == "company":
            assert mention.name == " ".join(surface.split())


def test_an_everyday_word_before_a_kind_of_company_is_no_name() -> None:
    cover = "Large accelerated filer [X]. Target company: Yes [ ] No [X]"
    assert found_in(cover, ("Target",)) == []
    assert found_in("Block corporation\nTarget entities: none", ("Block", "Target")) == []
    assert found_in("Target said that a company was bought.", ("Target",)) == [("Target", "Target")]
    assert found_in("Shares of Target fell.", ("Target",)) == [("Target", "Target")]
