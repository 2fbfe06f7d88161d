"""A trained classifier: one line of weights per topic, kept as plain numbers, never as a pickle."""

from __future__ import annotations

import hashlib
import json
import zipfile
from dataclasses import dataclass
from io import BytesIO

import numpy as np

from docintel.logistic import logistic
from ingestion.classifying.pooling import Floats


class BadModel(ValueError):
    """The file is no classifier of topics, or not the one that was registered."""


@dataclass(frozen=True, slots=True)
class Learned:
    """Logistic regressions over the document's vector, calibration folded into the weights.

    `weights` is float32 (topics, dimensions), `intercepts` (topics,).
    """

    topics: tuple[str, ...]
    weights: Floats
    intercepts: Floats

    def probabilities(self, vectors: Floats) -> Floats:
        """(documents, dimensions) to (documents, topics)."""
        scores = (vectors @ self.weights.T + self.intercepts).astype(np.float64)
        return logistic(scores).astype(np.float32)

    def to_bytes(self) -> bytes:
        """The file: an .npz of two arrays and the topics as JSON."""
        file = BytesIO()
        names = np.frombuffer(json.dumps(self.topics).encode(), dtype=np.uint8)
        np.savez(file, topics=names, weights=self.weights, intercepts=self.intercepts)
        return file.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes, digest: str) -> Learned:
        """Raises BadModel unless this is the file of that SHA-256, with numbers that fit."""
        if hashlib.sha256(content).hexdigest() != digest:
            raise BadModel("the file is not the one that was registered: its digest differs")
        try:
            with np.load(BytesIO(content), allow_pickle=False) as arrays:
                topics = tuple(json.loads(arrays["topics"].tobytes()))
                found = cls(topics, arrays["weights"], arrays["intercepts"])
        except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
            raise BadModel(f"the file cannot be read: {error}") from error
        fits = found.weights.ndim == 2 and found.weights.shape[0] == len(topics)
        if not fits or found.intercepts.shape != (len(topics),):
            raise BadModel("the arrays of the file do not fit one another")
        if not (np.isfinite(found.weights).all() and np.isfinite(found.intercepts).all()):
            raise BadModel("the file holds numbers that are not finite")
        return found
