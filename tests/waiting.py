"""Waits for what another process, thread or browser does in its own time."""

from __future__ import annotations

import time
from collections.abc import Callable

# Long, since only what never comes waits for it, and a slow machine starts slowly.
ENOUGH_SECONDS = 180.0


def until(condition: Callable[[], object], what: str, seconds: float = ENOUGH_SECONDS) -> None:
    """Return when `condition` holds; fails with `what` when it does not within `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain until {what}"
        time.sleep(0.05)
