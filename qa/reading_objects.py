"""Sentences out of a model's stream, as soon as each is whole; pure.

One JSON object per sentence, wherever it stands: on lines, in a list, in a code fence, in an object
around them. Trap: what is not such an object is skipped in silence.
"""

from __future__ import annotations

import json
from typing import Any

from qa.verifying import Drafted

MOST_OBJECT_CHARACTERS = 12_000
MOST_DEPTH = 8
MOST_CITATIONS_READ = 16


class ObjectReader:
    """Feed it pieces of text; it gives back the sentences that they complete.

    Linear in the text: an object that grows beyond 12,000 characters is given up.
    """

    def __init__(self) -> None:
        self._text = ""
        self._at = 0
        self._opened: list[int] = []
        self._in_string = False
        self._escaped = False

    def feed(self, piece: str) -> list[Drafted]:
        self._text += piece
        found: list[Drafted] = []
        while self._at < len(self._text):
            self._step(self._text[self._at], found)
            self._at += 1
        self._forget()
        return found

    def _step(self, character: str, found: list[Drafted]) -> None:
        if self._in_string:
            if self._escaped:
                self._escaped = False
            elif character == "\\":
                self._escaped = True
            elif character in '"\n':
                # No JSON string holds a line end: a torn one ends with its line.
                self._in_string = False
                if character == "\n":
                    self._opened.clear()
        elif character == '"':
            self._in_string = bool(self._opened)
        elif character == "{":
            if len(self._opened) >= MOST_DEPTH:
                self._opened.clear()
            self._opened.append(self._at)
        elif character == "}" and self._opened:
            start = self._opened.pop()
            if self._at - start < MOST_OBJECT_CHARACTERS:
                sentence = read(self._text[start : self._at + 1])
                if sentence is not None:
                    found.append(sentence)

    def _forget(self) -> None:
        """Drop what no open object can need; the outermost may be a wrapper of any length."""
        while self._opened and self._at - self._opened[0] > MOST_OBJECT_CHARACTERS:
            self._opened.pop(0)
        keep = self._opened[0] if self._opened else self._at
        self._text = self._text[keep:]
        self._at -= keep
        self._opened = [start - keep for start in self._opened]


def read(text: str) -> Drafted | None:
    """The sentence that an object is, or None. A citation that is none is left out.

    Without words of its own it is what it quotes: half the tokens, half the time.
    """
    try:
        value: Any = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict) or not isinstance(value.get("text"), str):
        return None
    listed = value.get("citations")
    citations = [
        (each["passage"].strip(), each["quote"])
        for each in (listed if isinstance(listed, list) else [])[:MOST_CITATIONS_READ]
        if isinstance(each, dict)
        and isinstance(each.get("passage"), str)
        and isinstance(each.get("quote"), str)
    ]
    said = value["text"]
    if not said.strip() and len(citations) == 1:
        said = " ".join(citations[0][1].split())
    return Drafted(said, tuple(citations))
