"""What a word looks like: figures, capitals, signs of currency, which an uncased encoder loses."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from extraction.ml.windows import Read

CURRENCIES = frozenset("$€£¥")
SCALES = frozenset(("thousand", "thousands", "million", "millions", "billion", "billions"))
NAMES = (
    "number",
    "decimal",
    "year",
    "capital",
    "all_capitals",
    "after_currency",
    "before_scale",
    "before_percent",
    "in_brackets",
    "sign",
    "line_start",
    "first_word",
)


def shapes(read: Read) -> NDArray[np.float32]:
    """(words, len(NAMES)) of 0 and 1."""
    text = read.text
    pairs = list(zip(read.starts.tolist(), read.ends.tolist(), strict=True))
    words = [text[start:end] for start, end in pairs]
    rows = np.zeros((len(words), len(NAMES)), dtype=np.float32)
    for at, word in enumerate(words):
        before = words[at - 1] if at else ""
        after = words[at + 1] if at + 1 < len(words) else ""
        number = word[0].isdigit()
        gap = text[pairs[at - 1][1] : pairs[at][0]] if at else ""
        rows[at] = (
            number,
            number and ("." in word or "," in word),
            number and len(word) == 4 and word[:2] in {"19", "20"},
            word[0].isupper(),
            len(word) > 1 and word.isupper(),
            before in CURRENCIES,
            after.lower() in SCALES,
            after == "%",
            before == "(",
            not word[0].isalnum(),
            "\n" in gap,
            at == 0,
        )
    return rows
