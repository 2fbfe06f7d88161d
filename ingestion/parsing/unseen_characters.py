"""Characters without a shape, by which words are smuggled past a reader or torn apart."""

from __future__ import annotations

import re

# Blanks of no width, soft hyphens, direction overrides, invisible operators, tag characters, and
# selectors of a shape in a row, which can spell bytes.
_ALWAYS = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b\u200e\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
    "|(?<=[\ufe00-\ufe0f])[\ufe00-\ufe0f]+"
)
# Joiners shape Arabic, Indic and emoji; between other characters they do nothing that is seen.
_JOINERS = re.compile("(?<![\u0590-\u109f\u2190-\U0001faff])[\u200c\u200d]+|[\u200c\u200d]{2,}")


def drop(text: str) -> str:
    """The text without them; joiners stay where a script or an emoji needs one."""
    if text.isascii():
        return text
    return _JOINERS.sub("", _ALWAYS.sub("", text))
