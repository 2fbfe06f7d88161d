"""What the queue calls of the kernel's own work."""

from __future__ import annotations

from docintel import measuring


def forget_old_measurements() -> None:
    measuring.forget_old()
