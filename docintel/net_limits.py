"""What may end a fetch: its one clock, and each way to fail, told in words."""

from __future__ import annotations

import time


class Blocked(Exception):
    """An address that nobody may fetch; the message says why."""


class Failed(Exception):
    """It could not be fetched; `status` is the server's, 0 if none; `retry_after` in seconds."""

    def __init__(self, message: str, *, status: int = 0, retry_after: float = 0.0) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after = retry_after


class TooLarge(Exception):
    """There is more of it than is read; the message says how much that is."""

    @classmethod
    def than(cls, host: str, limit: int) -> TooLarge:
        size = f"{limit / 1_048_576:g} MB" if limit >= 1_048_576 else f"{limit:,} bytes"
        return cls(f"{host} sends more than {size}.")


class TooSlow(Exception):
    """It took longer than it may; the message says how long that is."""


class Deadline:
    """One moment by which everything must be done."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.ends = time.monotonic() + seconds

    @property
    def passed(self) -> bool:
        return time.monotonic() >= self.ends

    def left(self) -> float:
        """Seconds left; TimeoutError when there are none."""
        left = self.ends - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    def check(self, host: str) -> None:
        """TooSlow, in words, once the moment has passed."""
        if self.passed:
            raise TooSlow(self.words(host))

    def words(self, host: str) -> str:
        return f"{host} took longer than {self.seconds:g} seconds."
