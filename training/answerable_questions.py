"""Questions with and without an answer, made from the documents at hand, to fit "not found".

An answerable one is made of a row, a heading or a sentence of a document; a near miss swaps its
year, its company or its subject for one that the documents do not have. Never of questions that
evaluate.
"""

from __future__ import annotations

import hashlib
import random
import re
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

from ingestion.models import Company, Document
from qa.question.asked_items import read_metrics

DATA = Path(__file__).with_name("answerable_questions.toml")
YEARS_AWAY = (4, 10)  # further back than the columns of a report usually reach
FUTURE = (2, 9)
NEAR = 250  # characters to either side
HELD_OUT_SHARE = 3  # one company in so many
_LABEL = re.compile(r"[A-Za-z][A-Za-z ,&’'()/-]{6,60}")
_GENERAL = re.compile(
    r"^(?:total|other|notes?|item|part|page|table|index|exhibit|signature|net|see|overview|general|"
    r"none|amount|balance|introduction|contents)\b.{0,12}$",
    re.I,
)
_CAUSE = re.compile(
    r"(?:^|\. )(?:The |Our )?(?P<n>increase|decrease|decline|growth|improvement|reduction) in "
    r"(?P<i>[a-zA-Z][a-zA-Z ,&-]{4,50}?)(?: (?:in|for|during) [^.;]{3,40})? "
    r"(?:was|were|is|reflects?|resulted) (?:primarily |mainly |largely |principally |from )?"
    r"(?:due to|attributable|driven|the result|a result|because|caused|higher|lower)"
)
_LEGAL = re.compile(
    r",?\s+(?:inc|corp|corporation|co|company|plc|ltd|limited|llc|group|holdings)\.?$", re.I
)
_VERB = {
    "increase": "rise", "growth": "grow", "improvement": "improve",
    "decrease": "fall", "decline": "decline", "reduction": "shrink",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Made:
    """A question, whether the documents answer it, and where it came from.

    `held_out` is by company, `held_out_family` by the way it is put; `company` is "" for none.
    """

    text: str
    answerable: bool
    kind: str
    company: str
    held_out: bool
    held_out_family: bool


@dataclass(frozen=True, slots=True)
class _Asked:
    family: str
    words: dict[str, str]
    year: int


@dataclass(slots=True)
class _Known:
    """A company with what its documents say, in small letters."""

    name: str
    years: set[int]
    subjects: list[_Asked]
    texts: list[str]
    annual: bool


def made(seed: int = 0, per_company: int = 24) -> list[Made]:
    """Questions about every company that has documents here, and about the world outside.

    The order depends on the seed and the documents alone.
    """
    draw = random.Random(seed)  # noqa: S311  no secret
    known = [each for each in _companies(draw) if each.years and each.subjects]
    found: list[Made] = []
    for each in known:
        found += _answerable(each, draw, per_company)
        found += _near_misses(each, known, draw, per_company)
    for held_out in (False, True):
        for text in _data()["outside"][_side(held_out)]:
            found.append(Made(text, False, "outside", "", held_out, held_out))
    return list({row.text: row for row in found}.values())


def _answerable(each: _Known, draw: random.Random, n: int) -> Iterator[Made]:
    for subject in draw.sample(each.subjects, min(n, len(each.subjects))):
        yield _put(each, subject, each.name, subject.year, draw, "answerable")
    if each.annual:
        for _ in range(n // 3):
            subject = _Asked("general", {}, draw.choice(sorted(each.years)))
            yield _put(each, subject, each.name, subject.year, draw, "answerable")


def _near_misses(
    each: _Known, known: Sequence[_Known], draw: random.Random, n: int
) -> Iterator[Made]:
    dated = [s for s in each.subjects if s.family in ("row", "cause")] or each.subjects
    general = _Asked("general", {}, 0)
    for _ in range(n // 4):
        subject = draw.choice([*dated, general] if each.annual else dated)
        year = min(each.years) - draw.randint(*YEARS_AWAY)
        yield _put(each, subject, each.name, year, draw, "year", dated=True)
    for _ in range(n // 8):
        subject = draw.choice(dated)
        year = max(each.years) + draw.randint(*FUTURE)
        yield _put(each, subject, each.name, year, draw, "future", dated=True)
    held_out = is_held_out(each.name)
    names = _data()["names"]["absent_held_out" if held_out else "absent"] + _absent(held_out)
    for _ in range(n // 4):
        subject = draw.choice([*each.subjects, general])
        yield _put(
            each, subject, draw.choice(names), subject.year or max(each.years), draw, "company"
        )
    others = [s for o in known if o is not each for s in o.subjects if s.family != "cause"]
    draw.shuffle(others)
    for subject in islice((s for s in others if _is_foreign(s, each)), n // 4):
        year = draw.choice(sorted(each.years))
        yield _put(each, subject, each.name, year, draw, "metric")
    for kind, count in (("unreported", n // 4), ("absurd", n // 12), ("private", n // 8)):
        for _ in range(count):
            yield _invented(each, kind, names, draw)


def _invented(each: _Known, kind: str, names: Sequence[str], draw: random.Random) -> Made:
    """What no document says: a detail that firms keep to themselves, or what did not happen."""
    made_up, rows = _data()["names"], [s for s in each.subjects if s.family == "row"]
    words = {
        "p": draw.choice(made_up["people"]),
        "t": draw.choice(made_up["places"]),
        "b": draw.choice(made_up["businesses"]),
        "n": draw.choice(names),
        "i": draw.choice(rows).words["i"] if rows else "sales",
    }
    return _put(each, _Asked(kind, words, 0), each.name, max(each.years), draw, kind)


def _put(  # noqa: PLR0917
    each: _Known, subject: _Asked, company: str, year: int, draw: random.Random, kind: str,
    *, dated: bool = False,
) -> Made:  # fmt: skip
    held_out = draw.random() < 0.35
    asks = _data()[subject.family][_side(held_out)]
    if dated:
        asks = [ask for ask in asks if "{y}" in ask]
    text = _wrapped(draw.choice(asks).format(c=company, y=year, **subject.words), draw)
    return Made(text, kind == "answerable", kind, each.name, is_held_out(each.name), held_out)


def _wrapped(text: str, draw: random.Random) -> str:
    """Some of them with remarks on how to answer, as people write them."""
    around = _data()["around"]
    before = draw.choice(around["before"]) if draw.random() < 0.15 else ""
    behind = draw.sample(around["behind"], draw.choice((0, 0, 0, 0, 1, 1, 2)))
    return " ".join(part for part in (before, text, *behind) if part)


def _companies(draw: random.Random) -> Iterator[_Known]:
    by_company: dict[int, list[Document]] = defaultdict(list)
    documents = Document.objects.searchable().filter(
        company__isnull=False, embedded_at__isnull=False
    )
    for document in documents.select_related("company").order_by("pk"):
        by_company[document.company_id or 0].append(document)
    for rows in by_company.values():
        company = rows[0].company
        assert company is not None
        years = {row.fiscal_year for row in rows if row.fiscal_year}
        texts = [row.text.lower() for row in rows]
        subjects = [s for row in rows if row.fiscal_year for s in _subjects(row, draw)]
        annual = any(row.kind == Document.Kind.ANNUAL_REPORT for row in rows)
        yield _Known(shortened(company.name), years, subjects, texts, annual)


def _subjects(document: Document, draw: random.Random) -> Iterator[_Asked]:
    """A few rows, headings and causes of one document."""
    year = document.fiscal_year or 0
    labels = {
        label
        for table in document.tables
        for start, end in table["rows"]
        if (label := _label(document.text[start:end]))
    }
    titles = {t for s in document.sections if not s.get("speaker") and (t := _title(s["title"]))}
    for label in draw.sample(sorted(labels), min(10, len(labels))):
        yield _Asked("row", {"i": label}, year)
    for title in draw.sample(sorted(titles), min(4, len(titles))):
        yield _Asked("heading", {"i": title}, year)
    causes = list(_CAUSE.finditer(document.text))
    for match in draw.sample(causes, min(6, len(causes))):
        words = {"i": match["i"].strip(), "n": match["n"], "d": _VERB[match["n"]]}
        yield _Asked("cause", words, year)


def _label(line: str) -> str:
    first, _, rest = line.partition("|")
    label = " ".join(first.split()).strip(" :.$")
    if not re.search(r"\d", rest) or not _LABEL.fullmatch(label) or _GENERAL.match(label):
        return ""
    return label[0].lower() + label[1:] if label[1:2].islower() else label


def _title(title: str) -> str:
    title = re.sub(r"^(?:item|note|part)\s+[\dIVX]+[A-Z]?[.:—–\s-]*", "", title.strip(), flags=re.I)
    if not _LABEL.fullmatch(title) or _GENERAL.match(title) or len(title.split()) < 2:
        return ""
    return title.lower() if title.isupper() or title.istitle() else title


def _is_foreign(subject: _Asked, each: _Known) -> bool:
    """Whether its words nowhere stand near each other in this company's documents.

    A metric by a common name may stand there under another, so it does not count.
    """
    words = sorted(set(re.findall(r"[a-z]{4,}", subject.words["i"].lower())))
    words.sort(key=len)
    stems = [word[: max(4, len(word) - 2)] for word in words]
    if not stems or read_metrics(subject.words["i"]):
        return False
    absent = [stem for stem in stems if not any(stem in text for text in each.texts)]
    return len(absent) * 2 >= len(stems) or (
        len(stems) > 2 and not any(stand_together(stems, text) for text in each.texts)
    )


def stand_together(stems: Sequence[str], text: str) -> bool:
    """Whether all stand near the last of them anywhere in a text of small letters."""
    *others, longest = stems
    place = text.find(longest)
    while place >= 0:
        around = text[max(0, place - NEAR) : place + NEAR]
        if all(word in around for word in others):
            return True
        place = text.find(longest, place + 1)
    return False


def _absent(held_out: bool) -> list[str]:
    """Companies of the catalogue that no document here is of."""
    there = Document.objects.filter(company__isnull=False).values("company")
    names = Company.objects.exclude(pk__in=there).order_by("pk").values_list("name", flat=True)
    found = [shortened(name) for name in names[:400]]
    return [name for name in found if is_held_out(name) is held_out][:60]


def shortened(name: str) -> str:
    """A company's name as people say it."""
    return _LEGAL.sub("", name).strip(" ,")


def is_held_out(name: str) -> bool:
    """Whether questions about this company are kept for the score."""
    return hashlib.sha256(name.encode()).digest()[0] % HELD_OUT_SHARE == 0


def _side(held_out: bool) -> str:
    return "held_out" if held_out else "asks"


def counted(rows: Sequence[Made]) -> dict[str, int]:
    """How many questions of each kind."""
    return dict(Counter(row.kind for row in rows))


@cache
def _data() -> dict[str, Any]:
    return tomllib.loads(DATA.read_text(encoding="utf-8"))
