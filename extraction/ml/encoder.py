"""The shared encoder in PyTorch: any BERT-like model by folder or hub id, with LoRA or whole.

Only safetensors are read. Trap: a hub id is downloaded; a folder never reaches out.
"""

from __future__ import annotations

import inspect
import warnings
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import AutoConfig, AutoModel
from transformers.utils import logging as transformers_logging

from docintel.inference.ml.adapters import EVERY_LINEAR, attach
from extraction.ml.errors import BadArtefact


def load_encoder(folder: Path, rank: int) -> nn.Module:
    """The encoder in float32; with `rank` > 0 frozen, but for LoRA in its every linear layer."""
    transformers_logging.disable_progress_bar()
    transformers_logging.set_verbosity_error()
    try:
        config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        options: dict[str, Any] = {}
        kind: Any = AutoModel._model_mapping[type(config)]
        if "add_pooling_layer" in inspect.signature(kind).parameters:
            options["add_pooling_layer"] = False
        encoder = AutoModel.from_pretrained(
            folder,
            local_files_only=True,
            use_safetensors=True,
            trust_remote_code=False,
            dtype=torch.float32,
            **options,
        )
    except (OSError, ValueError, KeyError) as error:
        raise BadArtefact(f"The encoder in {folder} cannot be read: {error}") from error
    if not rank:
        return encoder
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        adapted: nn.Module = attach(encoder, rank=rank, alpha=2 * rank, layers=EVERY_LINEAR)
        return adapted


def trained_part(encoder: nn.Module) -> dict[str, nn.Parameter]:
    """The parameters that training changes, by name: LoRA's, or all of them."""
    return {name: part for name, part in encoder.named_parameters() if part.requires_grad}


def merged(encoder: nn.Module) -> nn.Module:
    """The plain encoder with LoRA multiplied into its weights; the given one is used up."""
    merge = getattr(encoder, "merge_and_unload", None)
    return merge() if merge else encoder
