"""What the commands that serve a machine share: their options."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

LOCAL = "local"


@dataclass(frozen=True, slots=True)
class Serving:
    """Port and processes of the pages, of the queue, who trains, and where the language model runs.

    `llm` is "local" for the model of `docintel.local_llm` as a role of its own; empty for the
    endpoint that OPENAI_BASE_URL names, or for none.
    """

    port: int
    workers: int
    llm: str = ""
    trainer: bool = False
    web: int = 1

    @classmethod
    def add_arguments(cls, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--workers", type=int, default=2, help="processes of the queue")
        parser.add_argument(
            "--web",
            type=int,
            default=1,
            help="processes of the pages: one for every two cores, where many read at once",
        )
        parser.add_argument(
            "--llm",
            choices=["", LOCAL],
            default="",
            help="local: answer with a small language model on this machine (slow on a CPU)",
        )

        parser.add_argument(
            "--trainer",
            action="store_true",
            help="also learn from corrections on this machine; slows the rest down meanwhile",
        )

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Self:
        return cls(
            port=options["port"],
            workers=options["workers"],
            llm=options["llm"],
            trainer=options["trainer"],
            web=max(1, options["web"]),
        )
