"""The cross-encoder on a CPU by OpenVINO: bf16 where the CPU computes in it, else float32.

The merged and converted graph is kept beside the weights, so that only the first start loads
PyTorch.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import openvino as ov
from numpy.typing import NDArray

from docintel.inference.ml.openvino import has_bf16
from docintel.inference.ml.packing import Ids, pack, padded, sides
from docintel.placing import place_once

# Ten windows at once fill two cores; more only make the next request wait longer.
BUDGET = 2_048
INPUTS = ("input_ids", "attention_mask", "token_type_ids")


class OpenVinoCrossEncoder:
    """Each call has an infer request of its own, so threads may share it; gives (n, 1)."""

    device = "cpu"
    budget = BUDGET

    def __init__(self, graph: Path, pad: int, sep: int) -> None:
        self.pad = pad
        self.sep = sep
        self.precision = "bf16" if has_bf16() else "f32"
        self.compiled = ov.Core().compile_model(
            graph, "CPU", {"INFERENCE_PRECISION_HINT": self.precision}
        )

    def encode(self, rows: Sequence[Ids]) -> NDArray[np.float32]:
        """A score per row, in the rows' order."""
        request = self.compiled.create_infer_request()
        scores = np.zeros((len(rows), 1), dtype=np.float32)
        for batch in pack([len(row) for row in rows], self.budget):
            ids, mask = padded([rows[i] for i in batch], self.pad)
            inputs = dict(zip(INPUTS, (ids, mask, sides(ids, self.sep)), strict=True))
            scores[batch, 0] = np.array(request.infer(inputs)[0], dtype=np.float32)
        return scores


def load(  # noqa: PLR0917
    encoder: Path, artefact: Path, scale: float, cache: Path, key: str, pad: int, sep: int
) -> OpenVinoCrossEncoder:
    """The merged model, converted on first use; safe for concurrent processes.

    `key` tells these weights from all others.
    """
    release = ov.__version__.split("-")[0]
    place = cache / f"reranker-{key}-openvino-{release}"
    place_once(place, lambda target: _convert(encoder, artefact, scale, target))
    return OpenVinoCrossEncoder(place / "model.xml", pad, sep)


def _convert(encoder: Path, artefact: Path, scale: float, target: Path) -> None:
    # Only the conversion needs PyTorch, which takes seconds and half a gigabyte to load.
    import torch  # noqa: PLC0415

    from docintel.inference.ml.cross_encoder import merged  # noqa: PLC0415

    example = torch.ones((2, 16), dtype=torch.int64)
    shape = ov.PartialShape([-1, -1])
    with warnings.catch_warnings():
        # Tracing warns of branches on shapes; the test compares the graph with PyTorch.
        warnings.simplefilter("ignore")
        graph = ov.convert_model(
            merged(encoder, artefact, scale),
            example_input=dict.fromkeys(INPUTS, example),
            input=[(name, shape, ov.Type.i64) for name in INPUTS],
        )
    ov.save_model(graph, target / "model.xml", compress_to_fp16=False)
