"""Questions put into other words: each word replaced by one that stands near it in meaning.

Who asks does not know how a document puts it; mined questions quote it. Read this way, they train a
ranker for questions that share no word with what answers them.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from docintel import encoders
from qa.question.wording import plain
from qa.ranking.ranking_features import content_words

MOST_WORDS = 5_000
FEWEST_USES = 5
NEAR = 0.55
SAME_BEGINNING = 4  # letters by which "produce" and "production" are taken for one word
BATCH = 256
# Of a clause that is told again: its length in words, and the share of the words that have no other
# which it does without.
SHORTEST, LONGEST = 7, 14
UNSAID = 0.7
FEWEST_CHANGED = 3
_WORD = re.compile(r"\b[a-z]{4,}\b")
_ANY_WORD = re.compile(r"[^\W\d_]+(?:[&'’-][^\W\d_]+)*")


class Rewording:
    """The other words of a corpus's common words. Raises EncoderUnavailable when made."""

    def __init__(self, texts: Iterable[str]) -> None:
        counts: Counter[str] = Counter()
        for text in texts:
            counts.update(_WORD.findall(text))
        words = [word for word, uses in counts.most_common(MOST_WORDS) if uses >= FEWEST_USES]
        self._others = _nearest(words) if words else {}

    def of(self, words: Sequence[str]) -> list[str]:
        """The words that have another, as that, in their order, each once."""
        found = (self._others.get(word.lower()) for word in words)
        return list(dict.fromkeys(other for other in found if other))

    def retold(self, sentence: str, chance: random.Random) -> str:
        """A clause of the sentence with other words in the places of its own, so that it still
        reads as one; empty where fewer than three words have another. Figures are left out."""
        words = _ANY_WORD.findall(sentence)
        length = chance.randint(SHORTEST, LONGEST)
        at = chance.randint(0, max(0, len(words) - length))
        kept, changed = [], 0
        for word in words[at : at + length]:
            other = self._others.get(word.lower())
            changed += other is not None
            if other:
                kept.append(other)
            elif not content_words(word) or chance.random() > UNSAID:
                kept.append(word.lower())
        return " ".join(kept) if changed >= FEWEST_CHANGED else ""


def _nearest(words: Sequence[str]) -> dict[str, str]:
    vectors = np.concatenate(
        [encoders.embed(words[at : at + BATCH]) for at in range(0, len(words), BATCH)]
    )
    others = {}
    for at in range(0, len(words), BATCH):
        cosines = vectors[at : at + BATCH] @ vectors.T
        for word, row in zip(words[at : at + BATCH], cosines, strict=True):
            for near in np.argsort(-row)[:20]:
                if row[near] < NEAR:
                    break
                other = words[int(near)]
                if other[:SAME_BEGINNING] != word[:SAME_BEGINNING] and plain(other) != plain(word):
                    others[word] = other
                    break
    return others
