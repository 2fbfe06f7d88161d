"""Texts to unit vectors: over `INFERENCE_URL`, or in this process where its role may load models.

A document's text must fit into the model's 512 tokens, or `TextTooLong` is raised; a question is
cut there, with a warning in the log.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Literal

import numpy as np
from django.conf import settings
from numpy.typing import NDArray
from prometheus_client import Counter
from tokenizers import Tokenizer

from docintel import promoted_weights, registry, remote_encoder, weights
from docintel.inference import loading
from docintel.inference.loading import Encoder
from docintel.models import ModelVersion
from docintel.registry import EMBEDDER
from docintel.remote_encoder import EncoderUnavailable
from docintel.roles import Role
from docintel.weights import MAX_DIMENSIONS, MAX_TOKENS, WeightsUnavailable

__all__ = ["EncoderUnavailable", "Kind", "TextTooLong", "embed", "live_embedder", "tokenizer"]

Kind = Literal["document", "query"]
Vectors = NDArray[np.float32]
CUT = Counter("docintel_cut_questions", "Questions longer than the embedder reads")
log = logging.getLogger(__name__)


class TextTooLong(ValueError):
    """A document's text does not fit into the model: `index` in the texts, and its `tokens`."""

    def __init__(self, index: int, tokens: int) -> None:
        super().__init__(
            f"text {index} has {tokens} tokens; the embedder reads at most {MAX_TOKENS}"
        )
        self.index = index
        self.tokens = tokens


def live_embedder() -> ModelVersion:
    """The row of `EMBEDDING_MODEL`'s weights, registered and made live on first use.

    What a re-embedding put in its place is given instead, until the setting names yet another.
    Loads no model. Where a local model's folder is absent (a `web` of its own), the row that
    another process registered is taken. A role that loads no models never makes another version
    live: one `web` with a wrong setting would have the corpus embedded anew. Raises
    `EncoderUnavailable`.
    """
    name = weights.version(settings.EMBEDDING_MODEL)
    try:
        digest, dimensions = weights.identity(settings.EMBEDDING_MODEL)
    except WeightsUnavailable as error:
        found = registry.live(EMBEDDER)
        if found is None or found.version != name:
            raise EncoderUnavailable(str(error)) from error
        return found
    if not settings.ROLE.may_load_models:
        found = registry.live(EMBEDDER)
        if found is not None and registry.outranks(found, name, digest):
            return found
        if found is not None and found.digest != digest:
            raise EncoderUnavailable(
                f"EMBEDDING_MODEL is {name} here, but the live embedder is {found.version}; "
                "give every role the same"
            )
    return registry.register(EMBEDDER, name, digest, dimensions=dimensions)


def tokenizer(source: str = "") -> Tokenizer:
    """The live embedder's tokenizer, or that of the weights `source` names.

    It neither truncates nor pads. Raises `EncoderUnavailable`.
    """
    try:
        return _tokenizer(source or _serving().source)
    except WeightsUnavailable as error:
        raise EncoderUnavailable(str(error)) from error


def embed(texts: Sequence[str], *, kind: Kind = "document") -> NDArray[np.float32]:
    """Float32 (n, 768) unit vectors, zero-padded where the model's are shorter.

    Raises `TextTooLong` for a document beyond 512 tokens, `EncoderUnavailable` in words when no
    encoder answers.
    """
    if not texts:
        return np.zeros((0, MAX_DIMENSIONS), dtype=np.float32)
    try:
        serving = _serving()
    except WeightsUnavailable as error:
        raise EncoderUnavailable(str(error)) from error
    if settings.INFERENCE_URL and settings.ROLE is not Role.INFERENCE:
        return widen(_embed_remotely(texts, kind, serving))
    return embed_here(texts, serving.source, kind=kind)


def embed_here(texts: Sequence[str], source: str, *, kind: Kind = "document") -> Vectors:
    """The same in this process by the weights that `source` names, whichever are live."""
    if not settings.ROLE.may_load_models:
        raise EncoderUnavailable(
            f"the role {settings.ROLE} loads no models; start the inference role and set "
            "INFERENCE_URL to its address"
        )
    rows = token_rows(texts, kind, source)
    found = load_encoder(source)
    with _lock:
        return widen(found.encode(rows))


def token_rows(texts: Sequence[str], kind: Kind, source: str = "") -> list[list[int]]:
    """Token ids per text, special tokens included; see `embed` for texts that are too long."""
    rows = [list(found.ids) for found in tokenizer(source).encode_batch_fast(list(texts))]
    for index, row in enumerate(rows):
        if len(row) <= MAX_TOKENS:
            continue
        if kind == "document":
            raise TextTooLong(index, len(row))
        _say_cut(len(row))
        # The last token closes the text for the model; it must stay.
        rows[index] = [*row[: MAX_TOKENS - 1], row[-1]]
    return rows


def load_encoder(source: str = "") -> Encoder:
    """The live encoder, or that of the weights `source` names, loaded on first use (seconds).

    Raises `EncoderUnavailable`.
    """
    with _lock:
        try:
            return _encoder(source or _serving().source)
        except WeightsUnavailable as error:
            raise EncoderUnavailable(str(error)) from error
        except (OSError, RuntimeError) as error:
            raise EncoderUnavailable(f"the embedder cannot be loaded: {error}") from error


def widen(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Unit vectors of any accepted width to (n, 768), padded with zeros: dot products stay."""
    wide = np.zeros((len(vectors), MAX_DIMENSIONS), dtype=np.float32)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    wide[:, : vectors.shape[1]] = vectors / np.maximum(lengths, 1e-12)
    return wide


_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class _Serving:
    """What embeds now: `source` as `weights` knows it; the row where it is not the setting's."""

    source: str
    promoted: ModelVersion | None = None


def _serving() -> _Serving:
    """Registers nothing. Raises WeightsUnavailable where the promoted one's files are damaged."""
    named = str(settings.EMBEDDING_MODEL)
    if settings.ROLE is Role.INFERENCE:
        return _Serving(named)
    found = registry.live(EMBEDDER)
    if found is None or not _is_promoted(found):
        return _Serving(named)
    return _Serving(promoted_weights.embedder_source(found), found)


def _is_promoted(found: ModelVersion) -> bool:
    name = weights.version(settings.EMBEDDING_MODEL)
    try:
        digest = weights.identity(settings.EMBEDDING_MODEL)[0]
    except WeightsUnavailable:
        return False
    return (found.version, found.digest) != (name, digest) and registry.outranks(
        found, name, digest
    )


# Two: the live one and one that a re-embedding is making vectors by.
@lru_cache(maxsize=2)
def _encoder(name: str) -> Encoder:
    return loading.load(weights.describe(name))


@cache
def _tokenizer(name: str) -> Tokenizer:
    found = Tokenizer.from_file(str(weights.folder(name) / "tokenizer.json"))
    found.no_truncation()
    found.no_padding()
    return found


def _embed_remotely(texts: Sequence[str], kind: Kind, serving: _Serving) -> Vectors:
    promoted = serving.promoted
    digest, dimensions = (promoted.digest, promoted.dimensions or 0) if promoted else _expected()
    fitting = [_fit(index, text, kind) for index, text in enumerate(texts)]
    vectors = remote_encoder.embed(
        fitting,
        url=settings.INFERENCE_URL,
        token=settings.INFERENCE_TOKEN,
        model=weights.version(serving.source),
        kind=kind,
        digest=digest,
    )
    if vectors.shape[1] != dimensions:
        raise EncoderUnavailable(
            f"{settings.INFERENCE_URL} makes vectors of {vectors.shape[1]} dimensions, "
            f"{settings.EMBEDDING_MODEL} of {dimensions}: it serves another model"
        )
    return vectors


def _expected() -> tuple[str, int]:
    try:
        return weights.identity(settings.EMBEDDING_MODEL)
    except WeightsUnavailable:
        found = live_embedder()
        return found.digest, found.dimensions or 0


def _fit(index: int, text: str, kind: Kind) -> str:
    """The text, checked and cut here because not every server says when it cuts."""
    # No tokenizer makes more tokens than bytes; two are special. Spares `web` its tokenizer.
    if len(text.encode(errors="replace")) + 2 <= MAX_TOKENS:
        return text
    found = tokenizer().encode(text)
    if len(found.ids) <= MAX_TOKENS:
        return text
    if kind == "document":
        raise TextTooLong(index, len(found.ids))
    _say_cut(len(found.ids))
    return text[: found.offsets[MAX_TOKENS - 2][1]]


def _say_cut(tokens: int) -> None:
    log.warning("a question of %d tokens was cut to %d", tokens, MAX_TOKENS)
    CUT.inc()
