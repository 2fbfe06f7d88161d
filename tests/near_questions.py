"""Pairs of questions that look alike: those that ask for two things, and those that ask for one."""

from __future__ import annotations

from itertools import product

COMPANIES = ("Intel", "Microsoft", "Johnson & Johnson")
# What is said in the one place, what in the other; and questions with that place.
SWAPS: list[tuple[list[tuple[str, str]], list[str]]] = [
    (
        [("Q1 2023", "Q2 2023"), ("FY22", "FY23"), ("2022", "2021"), ("FY2022", "Q4 2022"),
         ("the last 4 quarters", "the last 5 quarters"), ("March 2023", "May 2023")],
        ["What was {company}'s revenue in {}?", "How did {company}'s gross margin change in {}?",
         "In {}, what was the operating income of {company}?"],
    ),
    (
        [("revenue", "net revenue"), ("gross margin", "operating margin"),
         ("operating income", "net income"), ("diluted EPS", "basic EPS"),
         ("free cash flow", "operating cash flow"), ("total debt", "long-term debt"),
         ("organic growth", "organization growth"), ("capital expenditures", "capital returns"),
         ("current assets", "total assets"), ("interest expense", "interest income")],
        ["What was {company}'s {} in FY2022?", "Why did the {} of {company} change in 2022?"],
    ),
    (
        [("Intel", "Microsoft"), ("Johnson & Johnson", "Intel"), ("Microsoft", "Nike"),
         ("Coca-Cola", "PepsiCo")],
        ["What was the revenue of {} in FY2022?", "Summarise the risks that {} names in its 10-K.",
         "How has {}'s gross margin changed since 2021?"],
    ),
    (
        [("before", "after"), ("increase", "decrease"), ("rise", "fall"), ("above", "below"),
         ("more than", "less than"), ("since", "until"), ("highest", "lowest")],
        ["Did {company}'s revenue {} 2021 levels in FY2022?",
         "Which costs of {company} were {} expected in 2022?"],
    ),
    (
        [("10-K", "10-Q"), ("annual report", "quarterly report"),
         ("earnings call", "press release")],
        ["What does {company} say about inflation in its {}?",
         "Which risks does {company}'s {} for 2022 name?"],
    ),
    (
        [("million", "billion"), ("5", "50"), ("5%", "5"), ("1.2", "12"), ("$", "€")],
        ["Was {company}'s charge above {} million in 2022?",
         "Which segments of {company} lost {} or more in FY2022?"],
    ),
    (
        [("did", "did not"), ("has", "has never"), ("with", "without"), ("all", "not all"),
         ("including", "excluding"), ("domestic", "international"), ("sale", "sales"),
         ("security", "securities")],
        ["Why {} {company} raise its dividend in 2022?",
         "What {} items explain {company}'s margin in FY2022?"],
    ),
]  # fmt: skip
TURNED = [
    ("Compare {a} to {b} on gross margin in 2022.", "Compare {b} to {a} on gross margin in 2022."),
    ("Did {a} grow faster than {b} in 2022?", "Did {b} grow faster than {a} in 2022?"),
    ("What did {a} buy from {b} in 2021?", "What did {b} buy from {a} in 2021?"),
    ("Is {a}'s margin above that of {b}?", "Is {b}'s margin above that of {a}?"),
    ("Revenue of {a} as a share of costs of {b}", "Costs of {b} as a share of revenue of {a}"),
]  # fmt: skip
OTHERS = [
    ("Which companies that acquired {a} grew?", "Which companies that {a} acquired grew?"),
    ("Revenue as a share of costs at {a} in 2022", "Costs as a share of revenue at {a} in 2022"),
    ("What did {a}'s 2022 report say about 2023 revenue?",
     "What did {a}'s 2023 report say about 2022 revenue?"),
    ("Did {a} in 2022 expect margins to rise?", "Did {a} expect margins to rise in 2022?"),
    ('What does {a} say about "supply chain"?', "What does {a} say about supply chain?"),
    ("How did {a}'s revenue change from 2021 to 2022?",
     "How did {a}'s revenue change from 2022 to 2021?"),
    ("Lawsuits by {a} in 2022", "Lawsuits against {a} in 2022"),
    ("What was {a}'s revenue in FY2022 and 2021?", "What was {a}'s revenue in FY2022 or 2021?"),
]  # fmt: skip
SAME = [
    ("What was {a}'s revenue in FY2022?", "what was {a}'s revenue in fy2022"),
    ("What was {a}'s revenue in FY2022?", "What was {a}’s revenue in FY2022 ?!"),
    ("What was {a}'s revenue in FY2022?", "Please, what was {a}'s revenue in FY2022?"),
    ("What was {a}'s revenue in FY2022?", "Hello, what was {a}'s revenue in FY2022? Thanks!"),
    ("What was {a}'s revenue in FY2022?", "In FY2022, what was {a}'s revenue?"),
    ("What was the gross margin of {a} in 2021?", "What was gross margin of {a} in 2021"),
    ("What was the gross margin of {a} in 2021?", "For 2021, what was the gross margin of {a}?"),
    ("Sum up the risks that {a} names in its 10-K.", "sum up the risks that {a} names in its 10-k"),
    ("Why did {a}'s margin fall in 2022?", "  Why did {a}'s   margin fall in 2022?\n"),
    ("Why did {a}'s margin fall in 2022?", "Hi! Why did {a}'s margin fall in 2022? Thank you."),
]  # fmt: skip


def different() -> list[tuple[str, str]]:
    """Each pair asks for two things."""
    pairs = [
        (pattern.replace("{}", one, 1), pattern.replace("{}", other, 1))
        for swaps, patterns in SWAPS
        for (one, other), pattern in product(swaps, patterns)
    ]
    filled = [
        (one.replace("{company}", name), other.replace("{company}", name))
        for one, other in pairs
        for name in (COMPANIES if "{company}" in one else ("",))
    ]
    for one, other in TURNED:
        for a, b in (("Intel", "Microsoft"), ("Coca-Cola", "PepsiCo")):
            filled.append((one.format(a=a, b=b), other.format(a=a, b=b)))
    filled += [(one.format(a=a), other.format(a=a)) for one, other in OTHERS for a in COMPANIES]
    return [(one, other) for one, other in filled if one != other]


def same() -> list[tuple[str, str]]:
    """Each pair asks for one thing."""
    return [(one.format(a=a), other.format(a=a)) for one, other in SAME for a in COMPANIES]
