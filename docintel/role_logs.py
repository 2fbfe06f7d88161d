"""Keep one role's output in a file of bounded size, and show its errors to whoever watches."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

MAX_BYTES = 5 * 1_048_576
# The same error is shown once in this time; all of them are in the file.
REPEAT_SECONDS = 300.0
# Python's logging as settings.py formats it, django-q2's own format, uvicorn's.
ERROR_LINE = re.compile(r"(?:^|\s|\])(?:ERROR|CRITICAL):?\s+(?P<text>.+)$")
# Ends the line in which django-q2 names a failed task; the exception has a line of its own.
TRACEBACK = "Traceback (most recent call last)"
EXCEPTION_LINE = re.compile(
    r"^(?:[\w.]+(?:Error|Exception|Unavailable|Configured)\b.*|docintel: .+)$"
)


class RoleLog(threading.Thread):
    """Copies a pipe to `path`; the older half is in `path` + ".1"."""

    def __init__(self, role: str, pipe: IO[bytes], path: Path, say: Callable[[str], None]) -> None:
        super().__init__(name=f"log of {role}", daemon=True)
        self.role = role
        self.pipe = pipe
        self.path = path
        self.say = say
        self.reason = ""  # The last exception or error seen: why it stopped, if it stopped.
        self._shown: dict[str, float] = {}

    def run(self) -> None:
        for raw in self.pipe:
            line = raw.decode(errors="replace").rstrip()
            self._watch(line)
            try:
                self._append(raw)
            except OSError as error:
                # The pipe must be read on, or the role would block on a full one.
                self._show(f"cannot write {self.path}: {error.strerror}")
        self.pipe.close()

    def _append(self, raw: bytes) -> None:
        if self.path.exists() and self.path.stat().st_size > MAX_BYTES:
            self.path.replace(self.path.with_name(self.path.name + ".1"))
        with self.path.open("ab") as file:
            file.write(raw)

    def _watch(self, line: str) -> None:
        if EXCEPTION_LINE.match(line):
            self.reason = line
            self._show(line)
        elif match := ERROR_LINE.search(line):
            self.reason = match["text"].partition(TRACEBACK)[0].rstrip(" :-")
            self._show(self.reason)

    def _show(self, text: str) -> None:
        now = time.monotonic()
        # Numbers differ between repetitions of what is one error to a person.
        key = re.sub(r"\d+", "0", text)
        if now - self._shown.get(key, float("-inf")) > REPEAT_SECONDS:
            self._shown[key] = now
            self.say(f"{self.role}: {text[:300]}")
