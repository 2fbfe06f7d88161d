"""Outcomes of questions kept as they come, one line of JSON each, so that a stopped run goes on.

Trap: a line is an answer of the code and the model of its day; begin a new file for others.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from docintel.scoring import CannotScore


@dataclass(frozen=True, slots=True)
class KeptOutcomes:
    """The file of one run; without a path nothing is kept and nothing is found."""

    path: Path | None = None

    def read(self) -> dict[str, dict[str, Any]]:
        """What was kept, by question. Raises CannotScore for a file that is none of these."""
        if self.path is None or not self.path.exists():
            return {}
        # Of a run that was killed, the last line may be half a line.
        *whole, _ = self.path.read_text(encoding="utf-8").split("\n")
        try:
            rows = [json.loads(line) for line in whole]
            return {str(row["question"]): row for row in rows}
        except (ValueError, TypeError, KeyError) as error:
            raise CannotScore(f"{self.path} holds no kept outcomes ({error})") from error

    def add(self, row: dict[str, Any]) -> None:
        """`row` has a `question` and is on the disk when this returns."""
        if self.path is None:
            return
        self._end_with_a_line()
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")

    def _end_with_a_line(self) -> None:
        """Cuts off what a killed run left of a line."""
        assert self.path is not None
        if self.path.exists():
            text = self.path.read_text(encoding="utf-8")
            if not text.endswith("\n"):
                self.path.write_text(text[: text.rfind("\n") + 1], encoding="utf-8")
