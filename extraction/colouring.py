"""A schema's colours as a style sheet, because the pages' policy allows no colours in elements."""

from __future__ import annotations

import re

from extraction.schema import SchemaSpec

COLOUR = re.compile(r"#[0-9a-fA-F]{6}\Z")
UNKNOWN = "#64748b"


def style_sheet(spec: SchemaSpec) -> str:
    """`.x-N` sets `--x` to the colour of the label with the number N of `marking.colours`.

    One more is for labels that the schema has lost; `.u-N` sets `--under` in the same way.
    """
    values = [label.colour if COLOUR.match(label.colour) else UNKNOWN for label in spec.labels]
    lines = []
    for number, colour in enumerate([*values, UNKNOWN]):
        lines += [f".x-{number} {{ --x: {colour}; }}", f".u-{number} {{ --under: {colour}; }}"]
    return "\n".join(lines) + "\n"
