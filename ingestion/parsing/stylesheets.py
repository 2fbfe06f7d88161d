"""What the style attributes and style blocks of a page say of an element, linked sheets unread.

Trap: selectors with pseudo-classes or sibling combinators match nothing here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ingestion.parsing.parsed import Unreadable

# More rules than any report has; a page of more is styled by its first.
_MOST_RULES = 4_000
_MOST_ANCESTORS = 64
# Steps of selectors compared with elements, a few seconds; a filing needs under a million.
_MOST_COMPARED = 4_000_000
_COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)|<!--|-->", re.DOTALL)
_ESCAPE = re.compile(r"\\([0-9a-fA-F]{1,6})[ \t\n]?|\\([^\n])")
_COMPOUND = re.compile(r"(?P<tag>[a-zA-Z][\w:-]*|\*)?(?P<rest>(?:[.#][\w-]+|\[[^\]]*\])*)\Z")
_PART = re.compile(r"([.#])([\w-]+)|\[\s*([\w:-]+)\s*(?:=\s*[\"']?([^\"'\]]*)[\"']?\s*)?\]")
_STEPS = re.compile(r"\s*(>)\s*|\s+")
_OTHER_MEDIA = re.compile(r"\bprint\b|\(|\bnot\b", re.IGNORECASE)

Declared = dict[str, tuple[str, bool]]


@dataclass(frozen=True, slots=True)
class _Compound:
    """One step of a selector: all of it must hold of one element."""

    tag: str
    ids: tuple[str, ...]
    classes: tuple[str, ...]
    attributes: tuple[tuple[str, str | None], ...]

    def matches(self, element: Any) -> bool:
        if self.tag and element.tag != self.tag:
            return False
        if self.ids and any(element.get("id") != name for name in self.ids):
            return False
        if self.classes:
            held = (element.get("class") or "").split()
            if any(name not in held for name in self.classes):
                return False
        return all(
            element.get(name) is not None and value in (None, element.get(name))
            for name, value in self.attributes
        )


@dataclass(frozen=True, slots=True)
class _Rule:
    """A selector from its last step outwards; `child` says that the next step is the parent."""

    steps: tuple[_Compound, ...]
    child: tuple[bool, ...]
    weight: tuple[int, int, int, int]
    declared: tuple[tuple[str, str, bool], ...]

    def matches(self, element: Any) -> bool:
        if not self.steps[0].matches(element):
            return False
        for step, child in zip(self.steps[1:], self.child, strict=True):
            element = element.getparent()
            if not child:
                for _ in range(_MOST_ANCESTORS):
                    if element is None or step.matches(element):
                        break
                    element = element.getparent()
            if element is None or not step.matches(element):
                return False
        return True


class Sheet:
    """The rules of a page's style blocks; `style` answers for one element."""

    def __init__(self, blocks: Iterable[str]) -> None:
        self.by_key: dict[str, list[_Rule]] = {}
        self.count = 0
        self.left = _MOST_COMPARED
        for block in blocks:
            for selectors, body in _rules(_COMMENT.sub(" ", block)):
                if self.count < _MOST_RULES:
                    self._add(selectors, body)

    def style(self, element: Any) -> str:
        """The declarations that win for this element, as the text of a style attribute."""
        inline = element.get("style") or ""
        rules = self._matching(element) if self.by_key else []
        if not rules:
            return inline
        won: dict[str, str] = {}
        own = declarations(inline)
        for important in (False, True):
            for rule in rules:
                won.update({n: v for n, v, marked in rule.declared if marked == important})
            won.update({n: v for n, (v, marked) in own.items() if marked == important})
        return ";".join(f"{name}:{value}" for name, value in won.items())

    def _matching(self, element: Any) -> list[_Rule]:
        keys = [element.tag, "*"]
        if element.get("id"):
            keys.append("#" + element.get("id"))
        keys += ["." + name for name in (element.get("class") or "").split()[:50]]
        candidates = [rule for key in keys for rule in self.by_key.get(key, ())]
        self.left -= sum(len(rule.steps) for rule in candidates)
        if self.left < 0:
            raise Unreadable("The page is styled by too many rules to tell what of it is visible.")
        found = [rule for rule in candidates if rule.matches(element)]
        return sorted(found, key=lambda rule: rule.weight)

    def _add(self, selectors: str, body: str) -> None:
        declared = tuple((n, v, important) for n, (v, important) in declarations(body).items())
        for selector in selectors.split(","):
            parsed = _selector(selector.strip())
            if parsed is None or not declared:
                continue
            steps, child = parsed
            self.count += 1
            ids = sum(len(step.ids) for step in steps)
            classes = sum(len(step.classes) + len(step.attributes) for step in steps)
            weight = (ids, classes, sum(bool(step.tag) for step in steps), self.count)
            last = steps[0]
            key = "#" + last.ids[0] if last.ids else last.tag or "*"
            key = "." + last.classes[0] if last.classes and not last.ids else key
            self.by_key.setdefault(key, []).append(_Rule(steps, child, weight, declared))


def _rules(css: str, depth: int = 0) -> Iterator[tuple[str, str]]:
    """Selector lists with their bodies, those of other media left out."""
    position = 0
    while (brace := css.find("{", position)) >= 0:
        prelude = css[position:brace].rpartition(";")[2].strip()
        if not prelude.startswith("@"):
            end = css.find("}", brace)
            end = len(css) if end < 0 else end
            yield prelude, css[brace + 1 : end]
        else:
            end = _closing(css, brace)
            media = prelude.lower().startswith("@media") and not _OTHER_MEDIA.search(prelude)
            if depth < 4 and (media or prelude.lower().startswith("@layer")):
                yield from _rules(css[brace + 1 : end], depth + 1)
        position = end + 1


def _closing(css: str, brace: int) -> int:
    depth = 0
    for match in re.compile(r"[{}]").finditer(css, brace):
        depth += 1 if match[0] == "{" else -1
        if not depth:
            return match.start()
    return len(css)


def _selector(text: str) -> tuple[tuple[_Compound, ...], tuple[bool, ...]] | None:
    """Steps from the last outwards, and between each two whether it is the very parent."""
    if not text or len(text) > 300:
        return None
    parts = _STEPS.split(text)
    words, links = parts[0::2], parts[1::2]
    steps: list[_Compound] = []
    for word in words:
        match = _COMPOUND.match(word)
        if match is None or not word:
            return None
        ids: list[str] = []
        classes: list[str] = []
        attributes: list[tuple[str, str | None]] = []
        for mark, name, attribute, value in _PART.findall(match["rest"]):
            if attribute:
                attributes.append((attribute.lower(), value or None))
            else:
                (ids if mark == "#" else classes).append(name)
        tag = "" if match["tag"] in (None, "*") else match["tag"].lower()
        steps.append(_Compound(tag, tuple(ids), tuple(classes), tuple(attributes)))
    return tuple(reversed(steps)), tuple(link == ">" for link in reversed(links))


@lru_cache(maxsize=8192)
def declarations(style: str) -> Declared:
    """Property to (value, whether marked important), all in lower case, later ones winning."""
    found: Declared = {}
    if "\\" in style:
        style = _ESCAPE.sub(_unescape, style)
    if "/*" in style:
        style = _COMMENT.sub("", style)
    for part in style.lower().split(";"):
        name, colon, value = part.partition(":")
        if not colon:
            continue
        value, mark, _ = value.partition("!important")
        name = name.strip()
        if mark or not found.get(name, ("", False))[1]:
            found[name] = (value.strip(), bool(mark))
    return found


def _unescape(match: re.Match[str]) -> str:
    if not match[1]:
        return match[2]
    code = int(match[1], 16)
    return chr(code) if 0 < code < 0x110000 and not 0xD800 <= code < 0xE000 else ""
