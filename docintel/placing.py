"""Folders that appear whole or not at all, built once however many processes ask."""

from __future__ import annotations

import fcntl
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path


def place_once(place: Path, build: Callable[[Path], None]) -> None:
    """Make the folder `place` by `build(empty folder)`, unless it exists.

    Others wait for the one that builds; what a killed builder left behind is removed. Raises
    OSError where the disk is full or may not be written, and whatever `build` raises.
    """
    if place.is_dir():
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    with place.with_name(f".{place.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if place.is_dir():
            return
        unfinished = f".{place.name}.building-"
        for left in place.parent.glob(f"{unfinished}*"):
            shutil.rmtree(left, ignore_errors=True)
        temporary = Path(tempfile.mkdtemp(prefix=unfinished, dir=place.parent))
        try:
            inside = temporary / "whole"
            inside.mkdir()
            build(inside)
            inside.rename(place)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
