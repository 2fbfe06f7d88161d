"""BIO tags of words: one row of tags for each group of labels that may not overlap.

Labels of different groups may nest or cross. Tag 0 is outside, 1 + 2n begins the group's nth
label, 2 + 2n continues it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from extraction.ml.spans import LabelledSpan
from extraction.ml.windows import Read

Ints = NDArray[np.int64]
OUTSIDE = 0


class BadLabels(ValueError):
    """The labels cannot be learned or served; the message says which and why."""


@dataclass(frozen=True)
class TagScheme:
    """The tags of every group; `width` is the most that any group has."""

    groups: tuple[tuple[str, ...], ...]

    def __post_init__(self) -> None:
        names = [label for group in self.groups for label in group]
        if not names:
            raise BadLabels("There are no labels.")
        if any(not group for group in self.groups):
            raise BadLabels("A group has no label.")
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise BadLabels(f"Two labels have the name {', '.join(map(repr, twice))}.")

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """All labels in the order of their groups."""
        return tuple(label for group in self.groups for label in group)

    @cached_property
    def width(self) -> int:
        return 1 + 2 * max(len(group) for group in self.groups)

    @cached_property
    def place(self) -> dict[str, tuple[int, int]]:
        """(group, tag that begins it) of each label."""
        return {
            label: (at, 1 + 2 * within)
            for at, group in enumerate(self.groups)
            for within, label in enumerate(group)
        }

    def label(self, group: int, tag: int) -> str:
        """The label that a tag other than 0 begins or continues."""
        return self.groups[group][(tag - 1) // 2]

    def known(self) -> NDArray[np.bool_]:
        """(groups, width): which tags a group has; the rest only fill up."""
        sizes = np.array([1 + 2 * len(group) for group in self.groups])
        known: NDArray[np.bool_] = np.arange(self.width)[None, :] < sizes[:, None]
        return known

    def allowed(self) -> NDArray[np.bool_]:
        """(groups, width, width): which tag may follow which; only its own label continues."""
        tags = np.arange(self.width)
        continues = (tags > 0) & (tags % 2 == 0)
        same = (tags[:, None] > 0) & ((tags[:, None] - 1) // 2 == (tags[None, :] - 1) // 2)
        follows = ~continues[None, :] | same
        known = self.known()
        return follows[None] & known[:, None, :] & known[:, :, None]

    def may_start(self) -> NDArray[np.bool_]:
        """(groups, width): which tags the first word of a text may have."""
        tags = np.arange(self.width)
        return self.known() & ((tags == 0) | (tags % 2 == 1))[None, :]


def tag_words(
    read: Read, spans: Iterable[LabelledSpan], scheme: TagScheme
) -> tuple[Ints, list[str]]:
    """(words, groups) tags of a text's labelled spans, and notes on spans that could not be kept.

    Of two spans that overlap in one group the longer stays; a span without a word is left out.
    Raises `BadLabels` for an unknown label or characters outside the text.
    """
    tags = np.zeros((len(read.starts), len(scheme.groups)), dtype=np.int64)
    notes: list[str] = []
    for span in sorted(spans, key=lambda each: (each.start - each.end, each)):
        if span.label not in scheme.place:
            raise BadLabels(f"No label is named {span.label!r}.")
        if not 0 <= span.start < span.end <= len(read.text):
            raise BadLabels(
                f"{span.label}: characters {span.start} to {span.end} are not within the text "
                f"of {len(read.text)}."
            )
        group, begins = scheme.place[span.label]
        first = int(np.searchsorted(read.ends, span.start, side="right"))
        last = int(np.searchsorted(read.starts, span.end, side="left"))
        if first >= last:
            notes.append(f"{span.label} at {span.start}: holds no word")
        elif tags[first:last, group].any():
            notes.append(f"{span.label} at {span.start}: overlaps a longer span of its group")
        else:
            tags[first, group] = begins
            tags[first + 1 : last, group] = begins + 1
    return tags, notes


def read_tags(tags: Sequence[int] | Ints) -> list[tuple[int, int, int]]:
    """(first word, last word + 1, tag that begins it) of each span in one row of tags.

    A continuation that nothing began counts as a beginning, as in CoNLL's evaluation.
    """
    spans: list[tuple[int, int, int]] = []
    start, open_tag = 0, 0
    for at, tag in enumerate([*tags, OUTSIDE]):
        begins = tag if tag % 2 else tag - 1
        if open_tag and tag == open_tag + 1:
            continue
        if open_tag:
            spans.append((start, at, open_tag))
        start, open_tag = at, (int(begins) if tag else 0)
    return spans
