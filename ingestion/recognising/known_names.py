"""Names to look for as they are written: those of a catalogue, of a filer, of a definition."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from ingestion.recognising.legal_forms import without_form
from ingestion.recognising.words import TOKEN, is_generic, speaks_against, tokens

_JOINT = re.compile(r"(?:[.,]?\s+(?:&\s+)?|\s*&\s*)")


@dataclass(slots=True)
class KnownNames:
    """Names to look for as they are written; `sure` ones need no second witness."""

    sure: dict[str, list[tuple[str, ...]]] = field(default_factory=dict)
    unsure: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, names: Iterable[str]) -> KnownNames:
        """Everyday words and short abbreviations among them are believed only with a witness."""
        index = cls()
        for name in names:
            parts = tuple(tokens(name))
            if not parts:
                continue
            short = len(parts) == 1 and len(name) <= 3 and name.isalpha()
            if is_generic(name) or speaks_against(name) or short:
                index.unsure.add(name.lower())
            else:
                index.add(name)
        return index

    def add(self, name: str, *, capitals: bool = True) -> None:
        """Look for this name as written, and in capitals too."""
        for spelling in {name, name.upper()} if capitals else {name}:
            parts = tuple(tokens(spelling))
            rows = self.sure.setdefault(parts[0], []) if parts else []
            if parts and parts not in rows:
                rows.append(parts)
                rows.sort(key=len, reverse=True)

    def find(self, text: str) -> Iterator[tuple[int, int]]:
        words = [(m[0], m.start(), m.end()) for m in TOKEN.finditer(text)]
        for index, (word, start, _) in enumerate(words):
            # A possessive is one token with its name.
            for bare in {word, re.sub(r"['’]s$", "", word)}:
                for parts in self.sure.get(bare, ()):
                    end = _end_of(text, words, index, parts)
                    if end:
                        yield start, end
                        break

    def has(self, name: str) -> bool:
        parts = tokens(name)
        return name.lower() in self.unsure or (
            bool(parts) and tuple(parts) in self.sure.get(parts[0], ())
        )


def names_of(company: Iterable[str]) -> KnownNames:
    """What a document may call the company that it is about, by the names that are known of it:
    each without its legal form too, and by a first word that is neither everyday nor a place.
    """
    index = KnownNames()
    for name in company:
        for spelling in {name, without_form(name)}:
            if len(spelling) > 1:
                index.add(spelling)
        words = without_form(name).split()
        if len(words) > 1 and len(words[0]) > 3 and not is_generic(words[0]):
            index.add(words[0], capitals=False)
    return index


def _end_of(
    text: str, words: list[tuple[str, int, int]], index: int, parts: tuple[str, ...]
) -> int:
    """Where the name that begins at this word ends; 0 if it is another one."""
    if index + len(parts) > len(words):
        return 0
    for offset, part in enumerate(parts):
        word, start, end = words[index + offset]
        last = offset == len(parts) - 1
        if word != part:
            if not last or not re.fullmatch(re.escape(part) + r"['’]s", word):
                return 0
            end -= 2
        if offset and not _JOINT.fullmatch(text, words[index + offset - 1][2], start):
            return 0
    return end
