"""LoRA adapters of an encoder: attached for training, kept as small tensors, merged for serving.

Hu et al. 2021: a frozen weight W gets scale · B·A beside it. Merged, the model is as fast as
before; whoever serves needs no peft.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

# Every linear layer of a block of BERT or MPNet by the end of its name; and of any encoder.
BLOCK_LAYERS = ("query", "key", "value", "q", "k", "v", "o", "dense")
EVERY_LINEAR = "all-linear"
_A, _B = ".lora_A.weight", ".lora_B.weight"


def attach(
    encoder: torch.nn.Module,
    *,
    rank: int,
    alpha: int,
    layers: Sequence[str] | str = BLOCK_LAYERS,
    blocks: Sequence[int] | None = None,
) -> Any:
    """The encoder with trainable adapters on those layers; everything else of it is frozen.

    `blocks` are the numbers of the blocks that get them, None for all. Without dropout, whose
    masks take a CPU as long as the products do.
    """
    # Only training has it installed.
    from peft import LoraConfig, get_peft_model  # noqa: PLC0415

    config = LoraConfig(
        r=rank,
        lora_alpha=alpha,
        lora_dropout=0.0,
        target_modules=layers if isinstance(layers, str) else list(layers),
        layers_to_transform=None if blocks is None else list(blocks),
    )
    return get_peft_model(encoder, config)


def tensors(model: Any) -> dict[str, torch.Tensor]:
    """The adapters by the name of the layer that each changes, as float16 on the CPU."""
    from peft import get_peft_model_state_dict  # noqa: PLC0415

    found = get_peft_model_state_dict(model)
    return {
        name.removeprefix("base_model.model."): value.detach().cpu().to(torch.float16).contiguous()
        for name, value in found.items()
    }


@torch.no_grad()
def merge(encoder: torch.nn.Module, found: Mapping[str, torch.Tensor], scale: float) -> None:
    """Add the adapters to the encoder's weights in place.

    `scale` is alpha / rank. Raises ValueError where an adapter fits no layer.
    """
    modules = dict(encoder.named_modules())
    for name in found:
        if name.endswith(_B):
            continue
        layer = modules.get(name.removesuffix(_A))
        partner = found.get(name.removesuffix(_A) + _B)
        if not name.endswith(_A) or partner is None or not isinstance(layer, torch.nn.Linear):
            raise ValueError(f"the adapter {name} fits no linear layer of this encoder")
        change = partner.float() @ found[name].float() * scale
        if change.shape != layer.weight.shape:
            raise ValueError(
                f"the adapter of {name} is for a weight of {tuple(change.shape)}, "
                f"not {tuple(layer.weight.shape)}"
            )
        layer.weight += change.to(layer.weight.dtype)
