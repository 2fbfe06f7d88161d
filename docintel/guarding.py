"""A tiny process that outlives the supervisor by a moment and leaves no orphan behind it.

`python -m docintel.guarding VAR EMBEDDED` reads "+GROUP" and "-GROUP" lines from its standard
input. The supervisor holds the other end, so the input ends when it dies, however it dies; then
every process group still listed is stopped, and the embedded Postgres if nobody else holds it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from pathlib import Path

from docintel import postgres

TERMINATE_SECONDS = 3.0


def signal_group(group: int, number: int) -> bool:
    """Send a signal to a process group; False when none of its processes is left."""
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return False
    except PermissionError:
        # macOS says so of a group of which only zombies are left.
        return False
    return True


def end_groups(groups: set[int], seconds: float = TERMINATE_SECONDS) -> None:
    """Ask all processes of these groups to end, then kill what is left after `seconds`."""
    groups = {group for group in groups if signal_group(group, signal.SIGTERM)}
    deadline = time.monotonic() + seconds
    while groups and time.monotonic() < deadline:
        time.sleep(0.05)
        groups = {group for group in groups if signal_group(group, 0)}
    for group in groups:
        signal_group(group, signal.SIGKILL)


def main() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # It must live until the supervisor is gone; the end of its input tells.
        signal.signal(number, signal.SIG_IGN)
    groups: set[int] = set()
    for line in sys.stdin:
        group = int(line[1:])
        if line.startswith("+"):
            groups.add(group)
        else:
            groups.discard(group)
    end_groups(groups)
    if sys.argv[2] == "embedded":
        with contextlib.suppress(Exception):
            postgres.stop_unheld(Path(sys.argv[1]))


if __name__ == "__main__":
    main()
