"""The encoder of the configured weights on this machine's best device; loads model libraries."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from docintel import rerankers, weights
from docintel.rerankers import RerankerWeights


class Encoder(Protocol):
    """Rows of token ids to float32 unit vectors (n, hidden), in the rows' order."""

    device: str
    precision: str
    budget: int  # tokens of one batch, padding included

    def encode(self, rows: Sequence[Sequence[int]]) -> NDArray[np.float32]: ...


def load(found: weights.Weights) -> Encoder:
    """The encoder on `INFERENCE_DEVICE`: cpu by OpenVINO, cuda by PyTorch, auto the better.

    Takes a second, or ten when the graph is converted for the first time.
    """
    if _on_cuda():
        from docintel.inference.ml import torch as on_gpu  # noqa: PLC0415  seconds to load

        return on_gpu.TorchEncoder(found.folder, found.pooling)
    from docintel.inference.ml import openvino as on_cpu  # noqa: PLC0415  seconds to load

    return on_cpu.load(
        found.folder, settings.MODELS_DIR, found.digest, found.pooling, found.padding
    )


def load_reranker(found: RerankerWeights, separator: int) -> Encoder:
    """The same of a cross-encoder: `encode` gives (n, 1) scores of rows of question and passage.

    `separator` is the token between them. Raises `WeightsUnavailable` where the adapter does not
    fit its encoder.
    """
    encoder = rerankers.encoder_of(found)
    artefact = found.folder / rerankers.ADAPTER
    try:
        if _on_cuda():
            from docintel.inference.ml import cross_encoder as on_gpu  # noqa: PLC0415

            model = on_gpu.merged(encoder.folder, artefact, found.scale)
            return on_gpu.TorchCrossEncoder(model, separator, "cuda")
        from docintel.inference.ml import openvino_pairs as on_cpu  # noqa: PLC0415

        return on_cpu.load(
            encoder.folder,
            artefact,
            found.scale,
            settings.MODELS_DIR,
            f"{found.digest[:12]}-{encoder.digest[:12]}",
            encoder.padding,
            separator,
        )
    except ValueError as error:
        raise weights.WeightsUnavailable(f"the reranker {found.name}: {error}") from error


def _on_cuda() -> bool:
    device = settings.INFERENCE_DEVICE
    if device not in {"auto", "cpu", "cuda"}:
        raise weights.WeightsUnavailable(
            f"INFERENCE_DEVICE is {device!r}; it may be auto, cpu or cuda"
        )
    return device == "cuda" or (device == "auto" and _has_cuda())


def _has_cuda() -> bool:
    # Without a driver the answer needs no PyTorch, which takes seconds to load.
    if not any(Path(p).exists() for p in ("/dev/nvidiactl", "/dev/dxg")):
        return False
    import torch  # noqa: PLC0415

    return bool(torch.cuda.is_available())
