"""The encoder of the configured weights on this machine's best device; loads model libraries."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from docintel import weights


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
    device = settings.INFERENCE_DEVICE
    if device not in {"auto", "cpu", "cuda"}:
        raise weights.WeightsUnavailable(
            f"INFERENCE_DEVICE is {device!r}; it may be auto, cpu or cuda"
        )
    if device == "cuda" or (device == "auto" and _has_cuda()):
        from docintel.inference.ml import torch as on_gpu  # noqa: PLC0415  seconds to load

        return on_gpu.TorchEncoder(found.folder, found.pooling)
    from docintel.inference.ml import openvino as on_cpu  # noqa: PLC0415  seconds to load

    return on_cpu.load(
        found.folder, settings.MODELS_DIR, found.digest, found.pooling, found.padding
    )


def _has_cuda() -> bool:
    # Without a driver the answer needs no PyTorch, which takes seconds to load.
    if not any(Path(p).exists() for p in ("/dev/nvidiactl", "/dev/dxg")):
        return False
    import torch  # noqa: PLC0415

    return bool(torch.cuda.is_available())
