"""How well mentions are found and linked, by the code that serves, on gold spans in a folder.

The folder holds either `fire_dev.json` (sentences as tokens with typed spans), or the files that
`--gold` names by page, offsets and digest. Passages go alone, so what a whole document would
tell (its own short names, "the Company") is not there to help.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from docintel.scoring import CannotScore, Score, bootstrap
from ingestion.linking import Catalogue, catalogue
from ingestion.metadata import company_key
from ingestion.models import Company
from ingestion.recognising import finding
from ingestion.recognising.known_names import names_of
from ingestion.recognising.matching import link
from ingestion.recognising.mention import COMPANY, DATE, MONEY, PERCENT, PERIOD, PERSON, Found
from ingestion.recognising.tagging import TaggerUnavailable
from training.evaluation.passage_texts import passage_text

FIRE = "fire_dev.json"
# Periods are dates there, and percentages are quantities among others.
FIRE_KINDS = {"Company": COMPANY, "Money": MONEY, "Date": DATE, "Person": PERSON}
GOLD_KINDS = (COMPANY, PERSON, MONEY, PERCENT, DATE, PERIOD)
_NO_SPACE_BEFORE = re.compile(r"[,.;:)%?!\]]|['’]s?|n't")
HOW = (
    "Exact: start, end and kind agree. Overlap: the kind agrees and the spans share a character; "
    "each gold span counts once. Bare cells of tables and references such as 'the Company' are "
    "not judged. Linking: of the mentions linked, those to the company that gold names."
)

Span = tuple[int, int, str]
Counts = NDArray[np.int64]  # per passage: right, found, gold


@dataclass(frozen=True, slots=True)
class Passage:
    text: str
    gold: set[Span]
    filer: str = ""


@dataclass(frozen=True, slots=True)
class Gold:
    passages: list[Passage]
    kinds: tuple[str, ...]
    merged: dict[str, str]  # a kind that counts as another one here
    # Surface -> usual name of the company; None where links are not judged.
    links: dict[str, str] | None = None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, help=f"folder with {FIRE}, or with the gold's files")
    parser.add_argument("--gold", type=Path, help="a file of gold passages of files in the folder")
    parser.add_argument("--part", default="", help="only the passages of this part of the gold")
    parser.add_argument("--show", action="store_true", help="print every disagreement")


def run(
    folder: Path, gold: Path | None = None, *, part: str = "", show: bool = False, **_: Any
) -> Score:
    """Raises CannotScore where a file, the catalogue or the tagger is missing."""
    started = time.perf_counter()
    if not Company.objects.exists():
        raise CannotScore("no company is known; run: python manage.py load_companies")
    wanted = read_passages(folder, gold, part) if gold else read_fire(folder / FIRE)
    names = catalogue(fresh=True)
    try:
        found = [_find(passage, names) for passage in wanted.passages]
    except TaggerUnavailable as error:
        raise CannotScore(str(error)) from error
    if show:
        _show(wanted, found)
    exact = {kind: _counts(wanted, found, kind, overlap=False) for kind in wanted.kinds}
    overlap = {kind: _counts(wanted, found, kind, overlap=True) for kind in wanted.kinds}
    detail: dict[str, Any] = {
        "exact": {kind: measures(counts) for kind, counts in exact.items()},
        "overlap": {kind: measures(counts) for kind, counts in overlap.items()},
        "passages": len(wanted.passages),
        "how": HOW,
    }
    if wanted.links is not None:
        detail["linking"] = _linking(wanted, found, names)
    _print(detail)
    every = sum(exact.values(), np.zeros((len(wanted.passages), 3), dtype=np.int64))
    return Score(
        headline="exact F1 over all kinds",
        value=measures(every)["f1"],
        higher_is_better=True,
        n=int(every[:, 2].sum()),
        interval=bootstrap(range(len(every)), statistic=partial(_f1_of, every)),
        seconds=time.perf_counter() - started,
        detail=detail,
    )


def read_fire(path: Path) -> Gold:
    """Sentences put together again from their tokens. Raises CannotScore."""
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CannotScore(f"cannot read {path}: {error}") from error
    passages = []
    for row in rows:
        text, spans = joined(row["tokens"])
        gold = {
            (spans[e["start"]][0], spans[e["end"] - 1][1], FIRE_KINDS[e["type"]])
            for e in row["entities"]
            if e["type"] in FIRE_KINDS
        }
        passages.append(Passage(text, gold))
    return Gold(passages, tuple(FIRE_KINDS.values()), {PERIOD: DATE})


def read_passages(folder: Path, path: Path, part: str = "") -> Gold:
    """Gold passages, of one part or all, their text taken from the files and checked.

    Raises CannotScore.
    """
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CannotScore(f"cannot read {path}: {error}") from error
    filers: dict[Path, dict[str, str]] = {}
    passages = []
    for row in stored["passages"]:
        if part and row.get("part") != part:
            continue
        file = next(
            (p for p in (folder / row["file"], folder / "pdfs" / row["file"]) if p.exists()), None
        )
        if file is None:
            raise CannotScore(f"{row['file']} is not in {folder}")
        text = passage_text(file, row["page"])[row["start"] : row["end"]]
        if hashlib.sha256(text.encode()).hexdigest() != row["sha256"]:
            raise CannotScore(f"page {row['page']} of {row['file']} reads otherwise than annotated")
        gold = {(start, end, kind) for start, end, kind in row["mentions"]}
        if file.parent not in filers:
            filers[file.parent] = _filers(file.parent.parent)
        passages.append(Passage(text, gold, filers[file.parent].get(file.stem, "")))
    kinds = tuple(stored.get("kinds", GOLD_KINDS))
    return Gold(passages, kinds, {}, stored["links"] or None)


def joined(tokens: Sequence[str]) -> tuple[str, list[tuple[int, int]]]:
    """The sentence as people write it, and each token's offsets in it."""
    text, spans = "", []
    for token in tokens:
        tight = not text or _NO_SPACE_BEFORE.fullmatch(token) or text[-1] in "($£€["
        text += "" if tight else " "
        spans.append((len(text), len(text) + len(token)))
        text += token
    return text, spans


def measures(counts: Counts) -> dict[str, float]:
    """Precision, recall and F1 over all passages, with the number of gold and found spans."""
    right, found, gold = (int(total) for total in counts.sum(axis=0))
    precision, recall = right / max(found, 1), right / max(gold, 1)
    f1 = 2 * right / max(found + gold, 1)
    return {"precision": precision, "recall": recall, "f1": f1, "gold": gold, "found": found}


def _f1_of(counts: Counts, rows: NDArray[np.float64]) -> float:
    return measures(counts[rows.astype(int)])["f1"]


def _filers(folder: Path) -> dict[str, str]:
    path = folder / "documents.jsonl"
    if not path.exists():
        return {}
    rows = (json.loads(line) for line in path.read_text(encoding="utf-8").splitlines())
    return {row["doc_name"]: row["company"] for row in rows}


def _find(passage: Passage, names: Catalogue) -> list[Found]:
    filer = names_of([passage.filer]) if passage.filer else None
    found = finding.find(passage.text, 0, len(passage.text), names.known, filer)
    return [m for m in found if not (m.value.get("implied") or m.value.get("reference"))]


def _of_kind(gold: Gold, found: Sequence[Found], kind: str) -> set[tuple[int, int]]:
    return {(m.start, m.end) for m in found if gold.merged.get(m.kind, m.kind) == kind}


def _counts(gold: Gold, found: list[list[Found]], kind: str, *, overlap: bool) -> Counts:
    rows = []
    for passage, mentions in zip(gold.passages, found, strict=True):
        wanted = {(start, end) for start, end, k in passage.gold if k == kind}
        got = _of_kind(gold, mentions, kind)
        right = _matched(wanted, got) if overlap else len(wanted & got)
        rows.append((right, len(got), len(wanted)))
    return np.array(rows, dtype=np.int64).reshape(-1, 3)


def _matched(wanted: set[tuple[int, int]], got: set[tuple[int, int]]) -> int:
    """Pairs of one gold and one found span that share a character, from left to right."""
    free = sorted(got)
    right = 0
    for start, end in sorted(wanted):
        partner = next((span for span in free if span[0] < end and start < span[1]), None)
        if partner:
            free.remove(partner)
            right += 1
    return right


def _linking(gold: Gold, found: list[list[Found]], names: Catalogue) -> dict[str, float]:
    keys = dict(Company.objects.values_list("pk", "key"))
    by_key = {key: pk for pk, key in keys.items()}
    links = {surface: company_key(name) for surface, name in (gold.links or {}).items()}
    right = linked = linkable = 0
    for passage, mentions in zip(gold.passages, found, strict=True):
        companies = [m for m in mentions if m.kind == COMPANY]
        filer = by_key.get(company_key(passage.filer))
        ids = link(companies, names.matcher, filer, [passage.filer] if filer else [])
        for mention, company in zip(companies, ids, strict=True):
            expected = links.get(mention.name)
            linked += company is not None
            right += company is not None and keys[company] == expected
        surfaces = [" ".join(passage.text[s:e].split()) for s, e, k in passage.gold if k == COMPANY]
        linkable += sum(links.get(surface) in by_key for surface in surfaces)
    return {
        "precision": right / max(linked, 1),
        "recall": right / max(linkable, 1),
        "linked": linked,
        "linkable": linkable,
    }


def _show(gold: Gold, found: list[list[Found]]) -> None:
    for number, (passage, mentions) in enumerate(zip(gold.passages, found, strict=True)):
        for kind in gold.kinds:
            wanted = {(start, end) for start, end, k in passage.gold if k == kind}
            got = _of_kind(gold, mentions, kind)
            extra = [passage.text[slice(*span)] for span in sorted(got - wanted)]
            missed = [passage.text[slice(*span)] for span in sorted(wanted - got)]
            if extra or missed:
                print(f"{number} {kind}: extra {extra}, missed {missed}")


def _print(detail: dict[str, Any]) -> None:
    print(f"{'':10}{'exact P':>9}{'R':>7}{'overlap P':>11}{'R':>7}{'gold':>7}")
    for kind, exact in detail["exact"].items():
        loose = detail["overlap"][kind]
        print(
            f"{kind:10}{exact['precision']:9.3f}{exact['recall']:7.3f}"
            f"{loose['precision']:11.3f}{loose['recall']:7.3f}{exact['gold']:7}"
        )
    if "linking" in detail:
        linking = detail["linking"]
        print(
            f"linking: P {linking['precision']:.3f}, R {linking['recall']:.3f}, "
            f"{linking['linked']} linked"
        )
