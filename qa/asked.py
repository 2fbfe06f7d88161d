"""What the composers need to know of an understood question, whoever understood it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class AskedCompany(Protocol):
    @property
    def id(self) -> int: ...


class AskedPeriod(Protocol):
    """`quarters` are (year, quarter) and empty where whole years are meant."""

    @property
    def years(self) -> Sequence[int]: ...
    @property
    def quarters(self) -> Sequence[tuple[int, int]]: ...
    @property
    def implied(self) -> bool: ...
    @property
    def relative(self) -> bool: ...


class AskedMetric(Protocol):
    """`start` is where the question names it."""

    @property
    def start(self) -> int: ...
    @property
    def name(self) -> str: ...


class Asked(Protocol):
    @property
    def companies(self) -> Sequence[AskedCompany]: ...
    @property
    def periods(self) -> Sequence[AskedPeriod]: ...
    @property
    def metrics(self) -> Sequence[AskedMetric]: ...
    @property
    def comparison(self) -> bool: ...
    @property
    def temporal(self) -> bool: ...
