"""Labelled texts for the tagger: KPI-EDGAR, CUAD, or JSON lines of one's own.

`load` reads any of the three by what the folder holds. Gold that cannot be right raises, with file
and line; what is left out on purpose is counted in `Labelled.notes`.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from docintel.scoring import CannotScore
from extraction.ml.spans import Example, LabelledSpan

KPI_FILE = "sentences.jsonl"
CUAD_FILE = "spans.jsonl"
OWN_FILE = "examples.jsonl"
KPI_CREDIT = "KPI-EDGAR (Deußer et al., 2022), MIT licence."
CUAD_CREDIT = "CUAD v1 (Hendrycks et al., 2021; The Atticus Project), CC BY 4.0."
# KPI-EDGAR's own mapping of rare types to those that are scored (configs/config.yaml).
RENAMED = {"thereof_coref": "thereof", "thereof_cy": "cy", "thereof_py": "py"}
FIGURES = ("kpi", "kpi_coref")
HOLDERS = (*FIGURES, "thereof")
VALUES = ("cy", "py", "py1", "increase", "increase_py", "decrease", "decrease_py")
KPI_LABELS = (*HOLDERS, "attr", *VALUES)
# "thereof_1_2" is the second part of figure 1: ("1", "2").
Index: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Labelled:
    """Examples by part ("train", "valid", or "all" where the data has no parts).

    `notes` says what was left out, `credit` whose labels they are and under which licence.
    """

    parts: dict[str, list[Example]]
    notes: list[str] = field(default_factory=list)
    credit: str = "Labels of this installation."

    def of(self, part: str) -> list[Example]:
        """The part, or everything where there is only one."""
        return self.parts.get(part, self.parts.get("all", []))


def load(folder: Path, labels: Sequence[str]) -> Labelled:
    """What the folder holds. Raises CannotScore where it is none of the three, or is wrong."""
    for name, read in ((KPI_FILE, read_kpi), (CUAD_FILE, read_cuad), (OWN_FILE, read_own)):
        if (folder / name).is_file():
            return read(folder, labels)
    raise CannotScore(f"{folder} holds none of {KPI_FILE}, {CUAD_FILE} and {OWN_FILE}")


def read_kpi(folder: Path, labels: Sequence[str] = KPI_LABELS) -> Labelled:
    """KPI-EDGAR: one sentence a line, a label of each token; words are joined by single spaces.

    Tokens in a row with one and the same label are a span. A value belongs to what has the same
    index, else to what has it but for its last number; an attribute to what has the same; a part
    to the figure that has it but for its last number. Sentences that annotators marked
    for deletion are left out, and so are spans marked as false positives.
    """
    parts: dict[str, list[Example]] = {}
    dropped: Counter[str] = Counter()
    for place, row in _lines(folder / KPI_FILE):
        tokens, marks = row.get("tokens"), row.get("labels")
        if not tokens or not isinstance(marks, list) or len(tokens) != len(marks):
            raise CannotScore(f"{place}: there must be one label for each token")
        runs = [(start, end, *_kind(mark)) for start, end, mark in _runs(marks)]
        if any(kind == "delete" for _, _, kind, _ in runs):
            dropped["sentences marked for deletion"] += 1
            continue
        kept = [run for run in runs if run[2] in labels]
        dropped.update(f"spans of {run[2]!r}" for run in runs if run[2] not in labels)
        example = _sentence(str(row.get("doc", place)), tokens, kept)
        parts.setdefault(str(row.get("split", "all")), []).append(example)
    return Labelled(parts, _counted(dropped), KPI_CREDIT)


def _sentence(
    key: str, tokens: Sequence[str], runs: Sequence[tuple[int, int, str, Index]]
) -> Example:
    starts, at = [], 0
    for token in tokens:
        starts.append(at)
        at += len(token) + 1
    spans = tuple(
        LabelledSpan(starts[first], starts[last - 1] + len(tokens[last - 1]), kind)
        for first, last, kind, _ in runs
    )
    relations = [
        (head, tail)
        for head, (_, _, kind, index) in enumerate(runs)
        for tail in _belongs_to(kind, index, runs)
    ]
    return Example(key, " ".join(tokens), spans, tuple(relations))


def _belongs_to(
    kind: str, index: Index, runs: Sequence[tuple[int, int, str, Index]]
) -> Iterator[int]:
    """The places of what a value, an attribute or a part of a figure belongs to."""
    if not index:
        return
    tails = FIGURES if kind == "thereof" else HOLDERS
    places = {
        of: [n for n, run in enumerate(runs) if run[2] in tails and run[3] == of]
        for of in (index, index[:-1])
    }
    if kind in VALUES:
        yield from places[index] or places[index[:-1]]
    elif kind == "attr":
        yield from places[index]
    elif kind == "thereof":
        yield from places[index[:-1]]


def _kind(mark: str) -> tuple[str, tuple[str, ...]]:
    """("thereof", ("1", "2")) of "thereof_1_2"."""
    parts = str(mark).strip().lower().split("_")
    kind = "_".join(part for part in parts if not part.isnumeric())
    return RENAMED.get(kind, kind), tuple(part for part in parts if part.isnumeric())


def _runs(marks: Sequence[str | None]) -> Iterator[tuple[int, int, str]]:
    start = 0
    for at in range(1, len(marks) + 1):
        if at == len(marks) or marks[at] != marks[start]:
            mark = marks[start]
            if mark is not None and mark.strip():
                yield start, at, mark
            start = at


def read_cuad(folder: Path, labels: Sequence[str]) -> Labelled:
    """CUAD: one contract a line; offsets count characters of the file read as UTF-8.

    Bytes that are not UTF-8 are replaced and line ends made one character, as the offsets assume.
    Parts that the source repeats word for word have the offsets of their first occurrence.
    """
    examples: list[Example] = []
    dropped: Counter[str] = Counter()
    for place, row in _lines(folder / CUAD_FILE):
        path = folder / "contracts" / Path(str(row.get("file", ""))).name
        try:
            text = path.read_text(encoding="utf-8", errors="replace")
        except OSError as error:
            raise CannotScore(f"{place}: {path} cannot be read: {error.strerror}") from error
        if row.get("n_chars", len(text)) != len(text):
            raise CannotScore(f"{place}: {path.name} has {len(text)} characters, not as stated")
        spans = [_span(place, each, text) for each in row.get("spans", ())]
        dropped.update(f"spans of {span.label!r}" for span in spans if span.label not in labels)
        kept = tuple(sorted({span for span in spans if span.label in labels}))
        examples.append(Example(path.stem, text, kept))
    return Labelled({"all": examples}, _counted(dropped), CUAD_CREDIT)


def read_own(folder: Path, labels: Sequence[str]) -> Labelled:
    """JSON lines of {"key", "text", "spans": [{"start", "end", "label"}], "split"?, "relations"?}.

    Raises CannotScore for a label that the schema does not have.
    """
    parts: dict[str, list[Example]] = {}
    for place, row in _lines(folder / OWN_FILE):
        text = row.get("text")
        if not isinstance(text, str):
            raise CannotScore(f"{place}: there is no text")
        spans = tuple(_span(place, each, text) for each in row.get("spans", ()))
        unknown = sorted({span.label for span in spans} - set(labels))
        if unknown:
            raise CannotScore(f"{place}: the schema has no label {', '.join(unknown)}")
        pairs = tuple((int(head), int(tail)) for head, tail in row.get("relations", ()))
        if any(not 0 <= at < len(spans) for pair in pairs for at in pair):
            raise CannotScore(f"{place}: a relation names a span that is not there")
        example = Example(str(row.get("key") or place), text, spans, pairs)
        parts.setdefault(str(row.get("split", "all")), []).append(example)
    return Labelled(parts)


def check_labels(examples: Sequence[Example], labels: Sequence[str]) -> list[str]:
    """Notes on labels that no example has: they will never be found. Raises where none has any."""
    held = Counter(span.label for example in examples for span in example.spans)
    if not held:
        raise CannotScore(f"none of {len(examples)} texts has a labelled span")
    return [f"no example of {label!r}: it will not be found" for label in labels if not held[label]]


def _span(place: str, given: Any, text: str) -> LabelledSpan:
    try:
        span = LabelledSpan(int(given["start"]), int(given["end"]), str(given["label"]))
    except (KeyError, TypeError, ValueError) as error:
        raise CannotScore(f"{place}: a span lacks start, end or label") from error
    if not 0 <= span.start < span.end <= len(text):
        raise CannotScore(
            f"{place}: {span.label} at {span.start} to {span.end} is outside the text of "
            f"{len(text)} characters"
        )
    return span


def _lines(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, start=1):
            if not re.search(r"\S", line):
                continue
            try:
                row = json.loads(line)
            except ValueError as error:
                raise CannotScore(f"{path.name}, line {number}: not JSON ({error})") from error
            if not isinstance(row, dict):
                raise CannotScore(f"{path.name}, line {number}: not an object")
            yield f"{path.name}, line {number}", row


def _counted(dropped: Counter[str]) -> list[str]:
    return [f"left out: {count} {what}" for what, count in sorted(dropped.items())]
