"""Whether a file is a safetensors file, by its header; reads no tensor and loads no library.

The rules are those of the format (https://github.com/huggingface/safetensors, "Format"): eight
bytes of length, a JSON object, and tensors that cover the rest without gap or overlap.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

LONGEST_HEADER = 100_000_000
BITS = {
    "BOOL": 8, "U8": 8, "I8": 8, "F8_E4M3": 8, "F8_E5M2": 8, "F8_E8M0": 8, "I16": 16, "U16": 16,
    "F16": 16, "BF16": 16, "I32": 32, "U32": 32, "F32": 32, "I64": 64, "U64": 64, "F64": 64,
    "C64": 64, "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6,
}  # fmt: skip


class NotSafetensors(ValueError):
    """The message says what is wrong with the header."""


def check(path: Path) -> dict[str, tuple[int, ...]]:
    """The shapes of the tensors by name. Raises NotSafetensors, and OSError."""
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if size < 8 or length > min(size - 8, LONGEST_HEADER):
            raise NotSafetensors("its header is longer than the file")
        text = file.read(length)
    try:
        header = json.loads(text.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise NotSafetensors(f"its header is no JSON ({error})") from error
    if not isinstance(header, dict):
        raise NotSafetensors("its header is no JSON object")
    header.pop("__metadata__", None)
    tensors = sorted((_tensor(name, value) for name, value in header.items()), key=lambda t: t[1:])
    at = 0
    for name, start, end in tensors:
        if start != at:
            raise NotSafetensors(f"the bytes of {name} do not follow those before")
        at = end
    if at != size - 8 - length:
        raise NotSafetensors(f"{size - 8 - length} bytes of tensors where {at} are declared")
    return {name: tuple(value["shape"]) for name, value in header.items()}


def _tensor(name: str, value: Any) -> tuple[str, int, int]:
    try:
        bits, shape = BITS[value["dtype"]], value["shape"]
        start, end = value["data_offsets"]
    except (KeyError, TypeError, ValueError) as error:
        raise NotSafetensors(f"{name} is not described as a tensor") from error
    numbers = [*shape, start, end] if isinstance(shape, list) else [None]
    if not all(type(number) is int and number >= 0 for number in numbers):
        raise NotSafetensors(f"{name} has a shape or offsets that are no counts")
    for side in shape:
        bits *= side
    if (end - start) * 8 != bits:
        raise NotSafetensors(f"{name} has {end - start} bytes, its shape needs {bits / 8:g}")
    return name, start, end
