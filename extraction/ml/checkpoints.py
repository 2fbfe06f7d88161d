"""Where a run of training stood: safetensors and JSON, replaced as a whole or not at all."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

NAME = "checkpoint.safetensors"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """After `step` steps, taking `micro` windows at a time."""

    step: int
    micro: int
    losses: list[tuple[int, float]]
    notes: list[str]


def write_checkpoint(
    folder: Path, state: Checkpoint, network: nn.Module, optimiser: torch.optim.Optimizer
) -> None:
    """Replace the folder's checkpoint; a kill leaves the former one."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {f"network.{name}": part.detach() for name, part in _trained(network).items()}
    for number, values in optimiser.state_dict()["state"].items():
        for name, value in values.items():
            tensors[f"optimiser.{number}.{name}"] = torch.as_tensor(value)
    tensors = {name: tensor.cpu().contiguous() for name, tensor in tensors.items()}
    temporary = folder / f".{NAME}.{os.getpid()}"
    save_file(tensors, temporary, {"state": json.dumps(asdict(state))})
    temporary.replace(folder / NAME)


def read_checkpoint(
    folder: Path, network: nn.Module, optimiser: torch.optim.Optimizer
) -> Checkpoint | None:
    """Put network and optimiser where they stood; None where there is nothing to go on from.

    One that cannot be read, or is of another network, counts as none: training begins anew.
    """
    path = folder / NAME
    if not path.is_file():
        return None
    parameters = _trained(network)
    try:
        with safe_open(path, "pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            content = json.loads((file.metadata() or {})["state"])
    except (SafetensorError, OSError, KeyError, ValueError):
        return None
    weights = {n.removeprefix("network."): t for n, t in tensors.items() if n[:8] == "network."}
    if {n: t.shape for n, t in weights.items()} != {n: p.shape for n, p in parameters.items()}:
        return None
    with torch.no_grad():
        for name, part in parameters.items():
            part.copy_(weights[name])
    state: dict[int, dict[str, torch.Tensor]] = {}
    for name, tensor in tensors.items():
        if name.startswith("optimiser."):
            _, number, what = name.split(".", 2)
            state.setdefault(int(number), {})[what] = tensor
    whole = optimiser.state_dict()
    optimiser.load_state_dict({"state": state, "param_groups": whole["param_groups"]})
    losses = [(int(step), float(loss)) for step, loss in content["losses"]]
    return Checkpoint(int(content["step"]), int(content["micro"]), losses, list(content["notes"]))


def _trained(network: nn.Module) -> dict[str, nn.Parameter]:
    return {name: part for name, part in network.named_parameters() if part.requires_grad}
