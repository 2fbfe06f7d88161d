"""The network as it serves: OpenVINO on a CPU, PyTorch on a GPU; the same scores from both.

Trap: rows are computed in batches of a fixed shape, filled up where there are too few, because a
kernel may round differently for another shape, and the same text must give the same spans.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from docintel.inference.ml.openvino import has_bf16
from docintel.placing import place_once
from extraction.ml.settings import Sheet
from extraction.ml.shapes import NAMES

if TYPE_CHECKING:
    from extraction.ml.network import Network

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
# Tokens of one batch: nine whole windows, as many as a batch of passages; four are 5 % slower.
CPU_TOKENS = 1_024
CUDA_TOKENS = 65_536
STEP = 16


class Runtime(Protocol):
    """(ids, mask, shapes) of a batch to (n, tokens, tags) scores and (n, labels) logits."""

    device: str
    precision: str
    tokens: int

    def scores(self, ids: Ints, mask: Ints, shapes: Floats) -> tuple[Floats, Floats]: ...


class OpenVinoRuntime:
    """On the CPU, in bf16 where it computes in that; threads may share it."""

    device = "cpu"
    tokens = CPU_TOKENS

    def __init__(self, graph: Path) -> None:
        import openvino as ov  # noqa: PLC0415  not needed on a GPU

        self.precision = "bf16" if has_bf16() else "f32"
        self.compiled = ov.Core().compile_model(
            graph, "CPU", {"INFERENCE_PRECISION_HINT": self.precision}
        )

    def scores(self, ids: Ints, mask: Ints, shapes: Floats) -> tuple[Floats, Floats]:
        request = self.compiled.create_infer_request()
        found = request.infer({"input_ids": ids, "attention_mask": mask, "shapes": shapes})
        return np.array(found[0], dtype=np.float32), np.array(found[1], dtype=np.float32)


class TorchRuntime:
    """In PyTorch: bf16 on `cuda` and on a CPU that computes in it; one call at a time."""

    def __init__(self, network: Network, device: str) -> None:
        import torch  # noqa: PLC0415  seconds to load, and OpenVINO serves without it

        self.torch, self.device = torch, device
        self.precision = "bf16" if device == "cuda" or has_bf16() else "f32"
        self.tokens = CUDA_TOKENS if device == "cuda" else CPU_TOKENS
        self.network = network.eval().to(device)

    def scores(self, ids: Ints, mask: Ints, shapes: Floats) -> tuple[Floats, Floats]:
        torch = self.torch
        given = [torch.from_numpy(each).to(self.device) for each in (ids, mask, shapes)]
        half = self.precision == "bf16"
        with torch.inference_mode(), torch.autocast(self.device, torch.bfloat16, enabled=half):
            scores, types = self.network(*given)
        return scores.float().cpu().numpy(), types.float().cpu().numpy()


@dataclass(frozen=True, slots=True)
class Kept:
    """What a runtime is made of: a tagger's folder, its sheet, and the encoder's folder."""

    folder: Path
    sheet: Sheet
    base_encoder: Path

    def network(self) -> Network:
        """With LoRA multiplied into the encoder. Raises `BadArtefact`."""
        from extraction.ml.artefact import open_network  # noqa: PLC0415  loads PyTorch
        from extraction.ml.encoder import merged  # noqa: PLC0415

        network = open_network(self.folder, self.sheet, self.base_encoder)
        network.encoder = merged(network.encoder)
        return network.eval()


def open_runtime(kept: Kept, device: str, cache: Path, key: str) -> Runtime:
    """The runtime for `device`: cpu, cuda, or auto for the better one that is there.

    The first use on a CPU converts the network, half a minute at most, into a folder of `cache`
    named by `key`, which must name exactly these files. Raises `BadArtefact`.
    """
    if device == "cuda" or (device == "auto" and _has_cuda()):
        return TorchRuntime(kept.network(), "cuda")
    import openvino as ov  # noqa: PLC0415

    release = ov.__version__.split("-")[0]
    place = cache / f"tagger-{key}-openvino-{release}"
    place_once(place, lambda target: _convert(kept, target))
    return OpenVinoRuntime(place / "model.xml")


def in_batches(
    rows: Sequence[Sequence[int]], looks: Sequence[Floats], runtime: Runtime, pad: int
) -> list[tuple[Floats, Floats]]:
    """(tokens, tags) scores and (labels) logits of each row, in the rows' order.

    `looks` (tokens, features) of each row. Rows of a length, rounded up, go together; a batch that
    is not full is filled up with empty rows.
    """
    found: list[tuple[Floats, Floats]] = [(np.empty(0, np.float32),) * 2] * len(rows)
    by_length: dict[int, list[int]] = {}
    for at, row in enumerate(rows):
        by_length.setdefault(-(-len(row) // STEP) * STEP, []).append(at)
    for length in sorted(by_length):
        many = max(1, runtime.tokens // length)
        of_length = by_length[length]
        for start in range(0, len(of_length), many):
            chosen = of_length[start : start + many]
            ids = np.full((many, length), pad, dtype=np.int64)
            mask = np.zeros((many, length), dtype=np.int64)
            shapes = np.zeros((many, length, looks[0].shape[1]), dtype=np.float32)
            # An empty row attends to itself, so that nothing is divided by nothing.
            mask[len(chosen) :, 0] = 1
            for line, at in enumerate(chosen):
                ids[line, : len(rows[at])] = rows[at]
                mask[line, : len(rows[at])] = 1
                shapes[line, : len(rows[at])] = looks[at]
            scores, types = runtime.scores(ids, mask, shapes)
            for line, at in enumerate(chosen):
                found[at] = (scores[line, : len(rows[at])], types[line])
    return found


def _convert(kept: Kept, target: Path) -> None:
    # Only the conversion needs PyTorch, which takes seconds and half a gigabyte to load.
    import openvino as ov  # noqa: PLC0415
    import torch  # noqa: PLC0415

    network = kept.network()
    ids = torch.ones((2, STEP), dtype=torch.int64)
    example = {
        "input_ids": ids,
        "attention_mask": torch.ones_like(ids),
        "shapes": torch.zeros((2, STEP, len(NAMES))),
    }
    plain, features = ov.PartialShape([-1, -1]), ov.PartialShape([-1, -1, len(NAMES)])
    inputs = [
        ("input_ids", plain, ov.Type.i64),
        ("attention_mask", plain, ov.Type.i64),
        ("shapes", features, ov.Type.f32),
    ]
    with warnings.catch_warnings(), torch.no_grad():
        # Tracing warns of branches on shapes; a test compares the graph with PyTorch.
        warnings.simplefilter("ignore")
        graph = ov.convert_model(network, example_input=example, input=inputs)
    ov.save_model(graph, target / "model.xml", compress_to_fp16=False)


def _has_cuda() -> bool:
    # Without a driver the answer needs no PyTorch, which takes seconds to load.
    if not any(Path(p).exists() for p in ("/dev/nvidiactl", "/dev/dxg")):
        return False
    import torch  # noqa: PLC0415

    return bool(torch.cuda.is_available())
