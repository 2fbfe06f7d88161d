"""Whether a reader of a page sees the words of an element, and how they are set.

Text that only a machine would read may be there to steer one, so it is kept out of what is
indexed. Trap: sheets that a page links to are not fetched; where there are any and no background
is declared, white words are taken for visible.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from ingestion.parsing.stylesheets import Sheet, declarations

_DROPPED = frozenset(
    [
        "head",
        "script",
        "style",
        "noscript",
        "template",
        "svg",
        "iframe",
        "object",
        "embed",
        "select",
        "option",
        "button",
        "ix:header",
        "ix:hidden",
        "math",
        "canvas",
        "audio",
        "video",
        "datalist",
    ]
)
_BOLD = frozenset(["b", "strong", "th", "h1", "h2", "h3", "h4", "h5", "h6"])
_ITALIC = frozenset(["i", "em", "cite"])
_LENGTH = re.compile(r"(-?\d*\.?\d+)\s*(px|pt|em|rem|ex|in|cm|mm|%|vw|vh)?")
_PIXELS = {"px": 1.0, "": 1.0, "pt": 4 / 3, "in": 96.0, "cm": 37.8, "mm": 3.78, "rem": 16.0}
_OFF_SCREEN, _SMALLEST = -500.0, 1.4
_CLIPPED = re.compile(
    r"rect\(\s*(?:0(?:px)?|1px)[\s,]+(?:0(?:px)?|1px)[\s,]+(?:0(?:px)?|1px)[\s,]+(?:0(?:px)?|1px)"
    r"|inset\(\s*(?:50|100)%|circle\(\s*0"
)
_SHRUNK = re.compile(
    r"scale[xy]?\(\s*0*\.?0*\s*[,)]|translate(?:x|y|3d)?\([^)]*-\s*(?:\d{4,}|[5-9]\d\d)"
)
_RGB = re.compile(r"rgba?\(\s*(\d+)[\s,]+(\d+)[\s,]+(\d+)(?:[\s,/]+([\d.]+)(%?))?\s*\)")
_HEX = re.compile(r"#([0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})\b")
_NAMES = {
    "white": (255, 255, 255), "black": (0, 0, 0), "red": (255, 0, 0), "green": (0, 128, 0),
    "blue": (0, 0, 255), "yellow": (255, 255, 0), "gray": (128, 128, 128), "navy": (0, 0, 128),
    "grey": (128, 128, 128), "silver": (192, 192, 192), "snow": (255, 250, 250),
    "ivory": (255, 255, 240), "whitesmoke": (245, 245, 245), "ghostwhite": (248, 248, 255),
    "windowtext": (0, 0, 0), "window": (255, 255, 255),
}  # fmt: skip
_CLEAR = "transparent"

Color = tuple[int, int, int] | str | None


@dataclass(frozen=True, slots=True)
class Look:
    """How words in an element are set: size in CSS pixels; a ground of None is not known."""

    size: float = 16.0
    color: Color = (0, 0, 0)
    ground: Color = (255, 255, 255)
    shown: bool = True
    bold: bool = False
    italic: bool = False
    centred: bool = False

    @property
    def seen(self) -> bool:
        """Whether a reader sees words set like this."""
        if not self.shown or self.size <= _SMALLEST or self.color == _CLEAR:
            return False
        if isinstance(self.color, tuple) and isinstance(self.ground, tuple):
            pairs = zip(self.color, self.ground, strict=True)
            return max(abs(one - other) for one, other in pairs) > 8
        return self.color is None or self.color != self.ground


class Sight:
    """Looks of a page's elements; begin at `start` and hand each element its parent's look."""

    def __init__(self, root: Any) -> None:
        self.sheet = Sheet(element.text or "" for element in root.iter("style"))
        linked = any(
            "stylesheet" in (element.get("rel") or "").lower() for element in root.iter("link")
        )
        self.start = Look(ground=None) if linked else Look()

    def look(self, element: Any, parent: Look) -> Look | None:
        """How this element's words are set; None where a reader sees nothing of it at all."""
        tag = element.tag
        if tag in _DROPPED or "hidden" in element.attrib:
            return None
        style = self.sheet.style(element)
        get = element.get
        if tag == "font":
            size, color = get("size") or "", get("color") or ""
        else:
            size, color = "", get("text") or "" if tag == "body" else ""
        ground = get("bgcolor") or ("url(" if get("background") else "")
        align = (get("align") or "").lower()
        return _look(parent, tag, style, (color, ground, size, align))


@lru_cache(maxsize=16_384)
def _look(parent: Look, tag: str, style: str, attributes: tuple[str, str, str, str]) -> Look | None:
    color, ground, size, align = attributes
    declared = {name: value for name, (value, _) in declarations(style).items()}
    if declared and _is_gone(declared, parent.size):
        return None
    look = parent
    if tag in _BOLD and not look.bold:
        look = replace(look, bold=True)
    if tag in _ITALIC and not look.italic:
        look = replace(look, italic=True)
    if tag == "center" or align == "center":
        look = replace(look, centred=True)
    elif align or tag == "table":
        look = replace(look, centred=False)
    if size.strip().isdigit():
        look = replace(look, size=max(10.0, 16.0 * (0.6 + int(size.strip()[:1]) * 0.15)))
    if color:
        look = replace(look, color=_color(color.lower(), look.color))
    if ground:
        look = replace(look, ground=_ground(ground.lower(), look.ground))
    return _styled(look, declared) if declared else look


def _styled(look: Look, declared: dict[str, str]) -> Look:
    changes: dict[str, Any] = {}
    font = declared.get("font", "")
    size = _size(declared.get("font-size") or font, look.size)
    if size is not None:
        changes["size"] = size
    weight = declared.get("font-weight") or font
    if weight:
        heavy = weight.startswith("bold") or " bold" in weight or weight[:1] in "6789"
        changes["bold"] = heavy if "font-weight" in declared or "bold" in weight else look.bold
    if "font-style" in declared:
        changes["italic"] = declared["font-style"] in ("italic", "oblique")
    if "text-align" in declared:
        changes["centred"] = declared["text-align"] == "center"
    if "visibility" in declared and declared["visibility"] != "inherit":
        changes["shown"] = declared["visibility"] not in ("hidden", "collapse")
    color = declared.get("-webkit-text-fill-color") or declared.get("color")
    if color:
        changes["color"] = _color(color, look.color)
    for name in ("background", "background-image", "background-color"):
        if declared.get(name):
            changes["ground"] = _ground(declared[name], changes.get("ground", look.ground))
    return replace(look, **changes) if changes else look


def _is_gone(declared: dict[str, str], em: float) -> bool:
    """Whether the element and all within it are out of sight, whatever they say themselves."""
    get = declared.get
    if get("display") == "none" or get("content-visibility") == "hidden":
        return True
    if _is_clear(get("opacity")) or "opacity(0" in get("filter", ""):
        return True
    if _CLIPPED.search(get("clip", "") + " " + get("clip-path", "")):
        return True
    if _SHRUNK.search(get("transform", "")):
        return True
    outside = ["text-indent", "margin-left"]
    if get("position") in ("absolute", "fixed", "relative"):
        outside += ["left", "top", "right", "bottom"]
    for name in outside:
        if name in declared and _pixels(declared[name], em, 0.0) <= _OFF_SCREEN:
            return True
    if get("overflow", "").startswith(("hidden", "clip")):
        boxes = ("height", "max-height", "width", "max-width")
        return any(name in declared and _pixels(declared[name], em, 99.0) <= 1 for name in boxes)
    return False


def _is_clear(opacity: str | None) -> bool:
    try:
        return opacity is not None and float(opacity.rstrip("%") or 1) <= 0.02
    except ValueError:
        return False


def _pixels(value: str, em: float, otherwise: float) -> float:
    match = _LENGTH.match(value)
    if not match:
        return otherwise
    number, unit = float(match[1]), match[2] or ""
    if unit in ("vw", "vh", "%"):
        # As a share of a window; of a page that is laid out, nothing is known.
        return number * 10
    return number * _PIXELS.get(unit, em)


def _size(value: str, em: float) -> float | None:
    """A font size in pixels, from a `font-size` or the first length of a `font`."""
    match = _LENGTH.search(value)
    while match and not match[2] and float(match[1]) >= 100:
        match = _LENGTH.search(value, match.end())  # A weight such as 700.
    if not match:
        return None
    number, unit = float(match[1]), match[2] or ""
    if unit == "%":
        return number / 100 * em
    return number * _PIXELS.get(unit, em)


def _color(value: str, inherited: Color) -> Color:
    if value in ("inherit", "currentcolor", "unset"):
        return inherited
    match = _RGB.search(value)
    if match:
        if match[4] and float(match[4]) / (100 if match[5] else 1) < 0.05:
            return _CLEAR
        return min(255, int(match[1][:4])), min(255, int(match[2][:4])), min(255, int(match[3][:4]))
    match = _HEX.search(value) or _HEX.search("#" + value)
    if match:
        digits = match[1] if len(match[1]) > 4 else "".join(digit * 2 for digit in match[1])
        if len(digits) == 8 and int(digits[6:], 16) < 13:
            return _CLEAR
        return int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:6], 16)
    word = value.split(maxsplit=1)[0] if value.split() else ""
    return _NAMES.get(word, _CLEAR if word == _CLEAR else word or inherited)


def _ground(value: str, inherited: Color) -> Color:
    if "url(" in value or "gradient" in value or "var(" in value:
        return None
    if value in ("none", "inherit", "initial", "unset"):
        return inherited
    color = _color(value, inherited)
    return inherited if color == _CLEAR else color
