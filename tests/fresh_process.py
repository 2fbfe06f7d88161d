"""What a process of its own has loaded after running some code."""

from __future__ import annotations

import os
import subprocess
import sys
from ast import literal_eval
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def loaded(code: str, modules: Iterable[str], role: str = "web") -> list[str]:
    """Which of these modules are loaded after `code`, with Django set up in this role."""
    told = f"print(sorted({set(modules)!r} & set(sys.modules)))"
    result = subprocess.run(
        [sys.executable, "-c", f"import sys, django; django.setup()\n{code}\n{told}"],
        cwd=ROOT,
        env={**os.environ, "DOCINTEL_ROLE": role},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    found: list[str] = literal_eval(result.stdout.strip().splitlines()[-1])
    return found
