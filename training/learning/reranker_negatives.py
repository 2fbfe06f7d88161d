"""Passages that look right and are not: what words or meaning find for a question, ranked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from docintel import encoders
from qa.ranking.ranking_features import content_words, word_list
from training.learning.reranker_reports import Example, Piece

K1, B = 1.2, 0.75
DEPTH = 30
BRIEF = 500  # characters, some 120 tokens
Floats = NDArray[np.float32]


@dataclass(slots=True)
class Finder:
    """BM25 (Robertson and Zaragoza 2009) and the embedder's cosine over all pieces."""

    vectors: Floats
    weights: dict[str, tuple[NDArray[np.int64], Floats]]

    @classmethod
    def of(cls, pieces: Sequence[Piece], *, brief: bool = False) -> Finder:
        """Embeds every piece: some minutes for some thousands; `brief` only its beginning."""
        bodies = [piece.header + piece.text for piece in pieces]
        vectors = encoders.embed([body[:BRIEF] for body in bodies] if brief else bodies)
        counts = [Counter(word_list(body)) for body in bodies]
        lengths = np.array([sum(count.values()) for count in counts], dtype=np.float32)
        mean = float(lengths.mean())
        rows: dict[str, list[tuple[int, int]]] = {}
        for at, count in enumerate(counts):
            for word, times in count.items():
                rows.setdefault(word, []).append((at, times))
        weights = {}
        for word, found in rows.items():
            where = np.array([at for at, _ in found])
            often = np.array([n for _, n in found], dtype=np.float32)
            rarity = np.log1p((len(bodies) - len(found) + 0.5) / (len(found) + 0.5))
            norm = often + K1 * (1 - B + B * lengths[where] / mean)
            weights[word] = (where, (rarity * often * (K1 + 1) / norm).astype(np.float32))
        return cls(vectors, weights)

    def words(self, text: str) -> Floats:
        """BM25 of every piece."""
        scores = np.zeros(len(self.vectors), dtype=np.float32)
        for word in content_words(text):
            if word in self.weights:
                where, weights = self.weights[word]
                scores[where] += weights
        return scores

    def meaning(self, texts: Sequence[str]) -> Floats:
        """(texts, pieces) cosines."""
        return encoders.embed(list(texts), kind="query") @ self.vectors.T


def ranked(scores: Floats, example: Example, depth: int = DEPTH) -> list[int]:
    """The best pieces that do not answer the question, best first."""
    barred = example.best | example.lesser | example.beside
    order = np.argsort(-scores, kind="stable")[: depth + len(barred)]
    return [int(at) for at in order if int(at) not in barred and scores[at] > 0][:depth]
