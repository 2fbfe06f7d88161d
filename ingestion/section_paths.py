"""The chain of headings that encloses each place of a document, outermost first."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Any

from ingestion.parsing.statements import Heading

SEPARATOR = " › "
# "PART II" says nothing beside the item that it holds.
_PART = re.compile(r"^part\s+[ivx]+\W*$", re.IGNORECASE)


class SectionPaths:
    """Answers for offsets; built from `Document.sections`, whose starts ascend."""

    def __init__(self, sections: Sequence[Mapping[str, Any]]) -> None:
        self.starts = [int(section["start"]) for section in sections]
        self.speakers = [
            (int(section["start"]), _flat(str(section["title"])))
            for section in sections
            if section.get("speaker")
        ]
        self._speaker_starts = [start for start, _ in self.speakers]
        self._chains: list[tuple[tuple[str, int], ...]] = []
        stack: list[tuple[int, str, int]] = []
        for section, start in zip(sections, self.starts, strict=True):
            level = int(section.get("level") or 1)
            while stack and stack[-1][0] >= level:
                stack.pop()
            stack.append((level, _flat(str(section["title"])), start))
            self._chains.append(tuple((title, at) for _, title, at in stack))

    def at(self, offset: int) -> list[Heading]:
        """The headings around this character."""
        index = bisect_right(self.starts, offset) - 1
        chain = self._chains[index] if index >= 0 else ()
        return [Heading(title, offset - at) for title, at in chain]

    def speaking(self, start: int, end: int) -> list[str]:
        """Who takes a turn after `start` and before `end`, each once."""
        first = bisect_right(self._speaker_starts, start)
        last = bisect_right(self._speaker_starts, end - 1)
        return list(dict.fromkeys(name for _, name in self.speakers[first:last]))


def joined(headings: Sequence[Heading], most: int) -> str:
    """The titles as one line of at most `most` characters; the inner and the outer end stay."""
    titles = [heading.title for heading in headings]
    if len(titles) > 1:
        titles = [title for title in titles if not _PART.match(title)] or titles[-1:]
    titles = [title for at, title in enumerate(titles) if at == 0 or title != titles[at - 1]]
    while len(titles) > 2 and len(SEPARATOR.join(titles)) > most:
        del titles[1]
    if len(titles) == 2 and len(SEPARATOR.join(titles)) > most:
        inner = shortened(titles[1], most * 2 // 3)
        titles = [shortened(titles[0], most - len(inner) - len(SEPARATOR)), inner]
    return shortened(SEPARATOR.join(titles), most)


def shortened(words: str, most: int) -> str:
    """The words with single spaces, cut with an ellipsis after `most` characters."""
    flat = _flat(words)
    return flat if len(flat) <= most else flat[: most - 1].rstrip() + "…"


def _flat(words: str) -> str:
    return " ".join(words.split())
