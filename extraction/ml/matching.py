"""Whether a found text says what the true one says, as CUAD's paper counts it."""

from __future__ import annotations

LEAST_JACCARD = 0.5
_IGNORED = str.maketrans({".": None, ",": None, ";": None, ":": None, "/": " "})


def is_match(gold: str, found: str, contained: bool = False) -> bool:
    """Jaccard of the two sets of words is 0.5 or more (Hendrycks et al. 2021, section 4).

    As in the paper's code: case, commas, full stops and colons do not count, a slash parts words,
    and where in the text they stand does not count either. `contained`: right also if the gold
    text is a part of the found one, which the paper allows for "Parties".
    """
    one, other = _bag(gold), _bag(found)
    if contained and gold in found:
        return True
    return len(one & other) >= LEAST_JACCARD * len(one | other) if one | other else False


def _bag(text: str) -> frozenset[str]:
    return frozenset(text.translate(_IGNORED).lower().split())
