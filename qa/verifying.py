"""The verifier: a drafted sentence to exact citations, or to the reason why nobody may read it.

Deterministic; it knows no model and no database. Every sentence goes through `verify` before it is
shown, whoever wrote it. What it cannot see is written down in docs/decisions.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial

from qa.checking import comparing_parts, computing, deriving
from qa.checking.evidence import Evidence, Header, Source
from qa.checking.figures import Claim, unbacked_figure
from qa.checking.names import (
    mixed_scripts,
    strange_letters,
    unbacked_metric,
    unbacked_name,
    unbacked_time,
)
from qa.checking.quantities import quantities
from qa.checking.quoting import REORDERING, fold, locate
from qa.checking.verbatim import is_verbatim
from qa.checking.wording import STOP, instructs, words
from qa.checking.words import (
    LEAST_SHARE,
    beside_the_quotes,
    flipped,
    negated_otherwise,
    of_another_kind,
    too_certain,
)

__all__ = [
    "Cited",
    "Drafted",
    "Dropped",
    "Header",
    "Lost",
    "Source",
    "Verified",
    "is_substantial",
    "verify",
]

Computation = computing.Asked | deriving.Derivation | comparing_parts.Comparison
MOST_CHARACTERS = 800
MOST_QUOTE_CHARACTERS = 1_500
# The checks compare each with each, so their number is bounded.
MOST_FIGURES = 24
MOST_STOPS = 12
MOST_CITATIONS = 8
LEAST_QUOTE_CHARACTERS = 8
_MARKUP = re.compile(
    r"<\s*[a-zA-Z/!?]|&(?:#x?[0-9a-fA-F]+|[a-zA-Z]{2,8});|\]\s*\(|!\[|`|\bhttps?:|\bwww\.|"
    r"\bjavascript:|\bdata:[a-z]+/|\bmailto:|://|\{\{|\}\}|\{%|\*\*|__|^\s*#{1,6}\s|"
    r"[\w.+-]+@[\w-]+\.[a-z]{2,}|\b[\w-]+\.(?:com|net|org|io|biz|info|xyz)(?:/|\b)",
    re.IGNORECASE | re.MULTILINE,
)
_ELLIPSIS = re.compile(r"…|\.\s?\.\s?\.|\[\s?\.*\s?\]")


@dataclass(frozen=True, slots=True)
class Drafted:
    """A sentence as it was written, with its citations: (reference of a passage, quote)."""

    text: str
    citations: tuple[tuple[str, str], ...] = ()
    # Set where it says what follows from its quotes by a formula; then it says nothing else.
    computed: Computation | None = None


@dataclass(frozen=True, slots=True)
class Cited:
    """`quote` is `text[start:end]` of the document, to the character."""

    reference: str
    document_id: int
    chunk_id: int | None
    start: int
    end: int
    quote: str


@dataclass(frozen=True, slots=True)
class Lost:
    """A citation that failed, with the reason in words."""

    reference: str
    quote: str
    reason: str


@dataclass(frozen=True, slots=True)
class Verified:
    text: str
    citations: tuple[Cited, ...]
    lost: tuple[Lost, ...] = ()


@dataclass(frozen=True, slots=True)
class Dropped:
    """Never shown to who asked; `reason` in words is for review."""

    text: str
    reason: str
    lost: tuple[Lost, ...] = ()


def verify(
    sentence: Drafted,
    passages: Mapping[str, Source],
    *,
    known_names: frozenset[str] = frozenset(),
    least_share: float = LEAST_SHARE,
) -> Verified | Dropped:
    """The sentence with its citations at their exact offsets, or why it is dropped.

    `passages` are those that were offered, by reference. `known_names` are names of companies in
    small letters. Anything overlong, or with more than 24 figures, is refused
    before it is compared, so that none takes longer than a fraction of a second.
    """
    text = " ".join(sentence.text[: MOST_CHARACTERS + 1].split())
    problem = _unfit(sentence.text, text)
    if problem:
        return Dropped(text[:MOST_CHARACTERS], problem)
    cited, lost = _locate_all(sentence, passages)
    if not cited:
        reason = "it cites nothing" if not lost else f"no citation holds: {lost[0].reason}"
        return Dropped(text, reason, tuple(lost))
    evidence = [each for _, each in cited]
    claim = Claim(fold(text))
    if sentence.computed is not None:
        problem = _miscalculated(claim, sentence.computed, evidence, lost)
        if problem:
            return Dropped(text, problem, tuple(lost))
        return Verified(text, tuple(one for one, _ in cited))
    checks = _checks(known_names, least_share)
    if is_verbatim(claim, evidence):
        # The document's own whole sentence: nothing in it can have been turned round.
        checks = ()
    for check in checks:
        problem = check(claim, evidence)
        if problem:
            return Dropped(text, problem, tuple(lost))
    return Verified(text, tuple(one for one, _ in cited), tuple(lost))


def _miscalculated(
    claim: Claim,
    asked: Computation,
    evidence: Sequence[Evidence],
    lost: Sequence[Lost],
) -> str | None:
    """Why it is not exactly what its formula makes of its quotes."""
    if lost:
        return f"not all of its operands are quoted: {lost[0].reason}"
    try:
        if isinstance(asked, deriving.Derivation):
            follows, problem = deriving.derive(asked, evidence), None
        elif isinstance(asked, comparing_parts.Comparison):
            follows, problem = comparing_parts.compare(asked, evidence), None
        else:
            follows = computing.compute(asked, evidence)
            problem = computing.contradiction(asked, evidence)
    except computing.CannotCompute as error:
        return str(error)
    if fold(follows) != claim.text:
        return "it is not what follows from its quotes"
    return problem


def _checks(
    known: frozenset[str], least: float
) -> tuple[Callable[[Claim, Sequence[Evidence]], str | None], ...]:
    return (
        unbacked_figure,
        unbacked_time,
        partial(unbacked_name, known=known),
        unbacked_metric,
        flipped,
        negated_otherwise,
        of_another_kind,
        too_certain,
        partial(beside_the_quotes, least=least),
    )


def _unfit(raw: str, text: str) -> str | None:
    """What no quote could put right."""
    if not any(map(str.isalpha, text)):
        return "it says nothing"
    if len(raw) > MOST_CHARACTERS:
        return f"it is longer than {MOST_CHARACTERS} characters"
    problem = strange_letters(raw) or mixed_scripts(raw)
    if problem:
        return problem
    plain = fold(text)
    if _MARKUP.search(plain):
        return "it holds markup, a link or an address"
    if instructs(plain):
        return "it gives instructions"
    if len(quantities(plain)) > MOST_FIGURES or len(re.findall(r"[.!?;]\s", plain)) > MOST_STOPS:
        return "it holds more than a sentence does"
    if plain.rstrip("\"')").endswith("?"):
        return "it is a question"
    return None


def _locate_all(
    sentence: Drafted, passages: Mapping[str, Source]
) -> tuple[list[tuple[Cited, Evidence]], list[Lost]]:
    cited: list[tuple[Cited, Evidence]] = []
    lost: list[Lost] = []
    seen: set[tuple[int, int, int]] = set()
    for number, (reference, quote) in enumerate(sentence.citations):
        if number >= MOST_CITATIONS:
            break
        found = _locate_one(reference, quote, passages)
        if isinstance(found, str):
            lost.append(Lost(reference[:40], quote[:MOST_QUOTE_CHARACTERS], found))
        elif (found[0].document_id, found[0].start, found[0].end) not in seen:
            seen.add((found[0].document_id, found[0].start, found[0].end))
            cited.append(found)
    return cited, lost


def _locate_one(
    reference: str, quote: str, passages: Mapping[str, Source]
) -> tuple[Cited, Evidence] | str:
    source = passages.get(reference)
    if source is None:
        return "no such passage was given"
    if len(quote) > MOST_QUOTE_CHARACTERS:
        return f"the quote is longer than {MOST_QUOTE_CHARACTERS} characters"
    if not is_substantial(quote):
        return "the quote is too short to prove anything"
    span = locate(quote, source.text, source.start, source.end)
    if span is None:
        if _ELLIPSIS.search(quote):
            return "the quote leaves something out; each part must be a quote of its own"
        return "the quote does not stand in the passage"
    shown = source.text[slice(*span)]
    if REORDERING.search(shown):
        return "the quoted text is stored in another order than it is shown"
    if instructs(fold(shown)):
        return "the quoted text gives instructions"
    return (
        Cited(reference, source.document_id, source.chunk_id, *span, shown),
        Evidence(source, *span),
    )


@lru_cache(maxsize=4096)
def is_substantial(quote: str) -> bool:
    """Whether it has words enough to prove anything."""
    plain = fold(quote)
    found = words(plain)
    telling = [word for word in found if word.lower() not in STOP and len(word) > 1]
    letters = [word for word in telling if word[0].isalpha()]
    if len(plain) < LEAST_QUOTE_CHARACTERS or not letters:
        return False
    return len(telling) >= 2 or (len(found) >= 3 and len(plain) >= 2 * LEAST_QUOTE_CHARACTERS)
