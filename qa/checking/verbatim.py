"""Whether a sentence is, word for word, a document's own whole sentence or row of a table; pure.

Such a one needs no further check: nothing in it can have been turned round.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from qa.checking.evidence import Evidence
from qa.checking.figures import Claim
from qa.checking.quoting import fold
from qa.checking.showing_rows import is_shown_row
from qa.checking.table_heads import line_at
from qa.checking.wording import KNOWN_WORDS, STOP

_BULLET = re.compile(r"[\s•●▪◦*\-–]*")
_IN_TITLES = frozenset("of and the in for to on a an by with".split())  # noqa: SIM905


def is_verbatim(claim: Claim, evidence: Sequence[Evidence]) -> bool:
    """Whether it is, word for word, one or more whole sentences of a document that it cites."""
    for e in evidence:
        at = e.context.find(claim.text)
        if at < 0 or (e.quote not in claim.text and claim.text not in e.quote):
            continue
        before, after = e.context[:at].rstrip(), e.context[at + len(claim.text) :].lstrip()
        begins = (
            not before
            or before[-1] in ".!?:\"'"
            or (claim.text[0].isupper() and before[-1] in "-*•")
            or _begins_a_paragraph(claim, e)
        )
        if begins and (not after or claim.text[-1] in ".!?\"'"):
            return True
    return _is_row(claim, evidence)


def _is_row(claim: Claim, evidence: Sequence[Evidence]) -> bool:
    """Whether it is a row of a table, whole, as answers show it."""
    for e in evidence:
        quoted = tuple(
            (each.start, each.end)
            for each in evidence
            if each.source.document_id == e.source.document_id
        )
        for row in e.rows:
            whole = e.start <= row.start and row.end <= e.end + 1
            if whole and is_shown_row(claim.text, e.source.text, row, quoted):
                return True
    return False


def _begins_a_paragraph(claim: Claim, e: Evidence) -> bool:
    """Whether it stands at the start of a line under a heading that ends without a stop.

    The line before is no wrapped part of the sentence: the first word would have fitted there, it
    has no words of a sentence, and the first word is written small elsewhere, so it is no name.
    """
    text, start = e.source.text, e.start
    low, high = line_at(text, start)
    if not claim.text.startswith(e.quote) or not _BULLET.fullmatch(text[low:start]) or not low:
        return False
    heading = fold(text[slice(*line_at(text, low - 1))]).strip()
    first = claim.text.split(maxsplit=1)[0].strip("\"'(")
    if not heading or heading[-1] in ",;-&|" or not first.isalpha() or not first[0].isupper():
        return False
    if len(heading) + 1 + len(first) > 0.9 * (high - low):
        return False
    said = set(re.findall(r"[a-z']+", heading.lower()))
    if said & (STOP - _IN_TITLES) or heading.split()[-1].lower() in STOP:
        return False
    small = first.lower()
    return small in KNOWN_WORDS | said or bool(re.search(rf"(?<![\w.]){small}(?!\w)", text))
