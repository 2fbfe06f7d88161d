"""The sentence encoder on a CPU by OpenVINO: bf16 where the CPU computes in it, else float32.

The converted graph is kept beside the weights, so that only the first start loads PyTorch.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import openvino as ov
from numpy.typing import NDArray

from docintel.inference.ml.packing import Ids, pack, padded
from docintel.placing import place_once

# One chunk of 512 tokens fills two cores as well as eight do, and a small batch lets a question
# that arrives meanwhile start sooner; more rows only pay when they are short.
BUDGET = 1_024


class OpenVinoEncoder:
    """Encodes on the CPU; each call has an infer request of its own, so threads may share it."""

    device = "cpu"
    budget = BUDGET

    def __init__(self, graph: Path, pad: int) -> None:
        self.pad = pad
        self.precision = "bf16" if has_bf16() else "f32"
        self.compiled = ov.Core().compile_model(
            graph, "CPU", {"INFERENCE_PRECISION_HINT": self.precision}
        )

    def encode(self, rows: Sequence[Ids]) -> NDArray[np.float32]:
        """(n, hidden) unit vectors of rows of token ids, in the rows' order."""
        request = self.compiled.create_infer_request()
        vectors: list[NDArray[np.float32]] = [np.empty(0, np.float32)] * len(rows)
        for batch in pack([len(row) for row in rows], self.budget):
            ids, mask = padded([rows[i] for i in batch], self.pad)
            found = request.infer({"input_ids": ids, "attention_mask": mask})[0]
            for index, vector in zip(batch, np.array(found, dtype=np.float32), strict=True):
                vectors[index] = vector
        return np.stack(vectors)


def load(folder: Path, cache: Path, digest: str, pooling: str, pad: int) -> OpenVinoEncoder:
    """The encoder of these weights, converted on first use; safe for concurrent processes."""
    release = ov.__version__.split("-")[0]
    place = cache / f"{folder.name}-{digest[:12]}-{pooling}-openvino-{release}"
    place_once(place, lambda target: _convert(folder, target, pooling))
    return OpenVinoEncoder(place / "model.xml", pad)


def has_bf16() -> bool:
    """Whether the CPU multiplies in bf16 itself; emulated, it would be slower than float32."""
    try:
        flags = set(Path("/proc/cpuinfo").read_text().split())
    except OSError:
        return False
    return bool({"avx512_bf16", "amx_bf16"} & flags)


def _convert(folder: Path, target: Path, pooling: str) -> None:
    # Only the conversion needs PyTorch, which takes seconds and half a gigabyte to load.
    import torch  # noqa: PLC0415

    from docintel.inference.ml.torch import SentenceEncoder  # noqa: PLC0415

    example = torch.ones((2, 16), dtype=torch.int64)
    shape = ov.PartialShape([-1, -1])
    model = SentenceEncoder(folder, pooling).eval()
    with warnings.catch_warnings():
        # Tracing warns of branches on shapes; the test compares the graph with PyTorch.
        warnings.simplefilter("ignore")
        graph = ov.convert_model(
            model,
            example_input={"input_ids": example, "attention_mask": example},
            input=[("input_ids", shape, ov.Type.i64), ("attention_mask", shape, ov.Type.i64)],
        )
    ov.save_model(graph, target / "model.xml", compress_to_fp16=False)
