"""Where a run of training stood: safetensors and JSON, replaced as a whole or not at all."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

NAME = "checkpoint.safetensors"
TOLD = ("step", "micro", "losses", "notes", "left_out")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """After `step` steps, taking `micro` windows at a time.

    `left_out`: the loss of what is left out after each epoch; `best`: the weights where it was
    lowest.
    """

    step: int
    micro: int
    losses: list[tuple[int, float]]
    notes: list[str]
    left_out: list[float] = field(default_factory=list)
    best: dict[str, torch.Tensor] = field(default_factory=dict)


def write_checkpoint(
    folder: Path, state: Checkpoint, network: nn.Module, optimiser: torch.optim.Optimizer
) -> None:
    """Replace the folder's checkpoint; a kill leaves the former one."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {f"network.{name}": part.detach() for name, part in trained(network).items()}
    tensors |= {f"best.{name}": part for name, part in state.best.items()}
    for number, values in optimiser.state_dict()["state"].items():
        for name, value in values.items():
            tensors[f"optimiser.{number}.{name}"] = torch.as_tensor(value)
    tensors = {name: tensor.cpu().contiguous() for name, tensor in tensors.items()}
    temporary = folder / f".{NAME}.{os.getpid()}"
    told = {name: getattr(state, name) for name in TOLD}
    save_file(tensors, temporary, {"state": json.dumps(told)})
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
    parameters = trained(network)
    try:
        with safe_open(path, "pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            content = json.loads((file.metadata() or {})["state"])
    except (SafetensorError, OSError, KeyError, ValueError):
        return None
    weights, best = _part(tensors, "network."), _part(tensors, "best.")
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
    left_out = [float(loss) for loss in content.get("left_out", [])]
    return Checkpoint(
        int(content["step"]), int(content["micro"]), losses, list(content["notes"]), left_out, best
    )


def _part(tensors: dict[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    return {n.removeprefix(prefix): each for n, each in tensors.items() if n.startswith(prefix)}


def trained(network: nn.Module) -> dict[str, nn.Parameter]:
    """The parameters that learn, by name."""
    return {name: part for name, part in network.named_parameters() if part.requires_grad}
