"""What is right with this installation and what to do about the rest.

Each app says its own part in `health.py` as `findings()`; they are collected by name.
"""

from __future__ import annotations

import importlib
import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.apps import apps
from django.db import DatabaseError
from django.utils.module_loading import module_has_submodule

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report; `hint` says what to do when `ok` is False."""

    name: str
    ok: bool
    message: str
    hint: str = ""


def collect() -> Iterator[Finding]:
    """Every app's findings; an app whose check fails becomes a finding itself, never an error."""
    for app in apps.get_app_configs():
        if not module_has_submodule(app.module, "health"):
            continue
        health = importlib.import_module(f"{app.name}.health")
        findings = getattr(health, "findings", None)
        if findings is not None:
            yield from _guarded(app.name, findings())


def _guarded(app: str, findings: Iterable[Finding]) -> Iterator[Finding]:
    try:
        yield from findings
    except DatabaseError as error:
        yield Finding(
            f"{app} checks",
            ok=False,
            message=f"the database did not answer: {first_line(error)}",
            hint="start it with: make serve",
        )
    except Exception as error:
        logger.exception("the checks of %s failed", app)
        yield Finding(
            f"{app} checks",
            ok=False,
            message=f"could not be run: {type(error).__name__}: {first_line(error)}",
            hint="the log has the details",
        )


def first_line(error: BaseException) -> str:
    """An error's first line, without a trailing full stop."""
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__
