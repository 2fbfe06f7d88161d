"""How well company names are linked in earnings calls or filings, by the code that serves.

`FOLDER` holds calls named TICKER_….txt, or filings as `pdfs/` with `documents.jsonl`. Each document
is taken as its company's; a company that the catalogue lacks must stay unlinked.
"""

from __future__ import annotations

import argparse
import json
import re
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pypdfium2

from docintel.scoring import CannotScore, Score
from ingestion.linking import Catalogue, catalogue
from ingestion.metadata import company_key
from ingestion.models import Company
from ingestion.recognising import finding
from ingestion.recognising.known_names import names_of
from ingestion.recognising.matching import link
from ingestion.recognising.mention import COMPANY, Found
from ingestion.recognising.tagging import TaggerUnavailable
from training.evaluation.passage_texts import passage_text

DOCUMENTS, CHARACTERS = 2, 60_000


@dataclass(frozen=True, slots=True)
class Labelled:
    """A document, and the ticker or name of the company whose it is."""

    file: Path
    owner: str


@dataclass(slots=True)
class Tally:
    """What was linked and how much of it was right; `wrong` by surface and company."""

    counts: Counter[str] = field(default_factory=Counter)
    wrong: Counter[tuple[str, str]] = field(default_factory=Counter)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, help="folder of calls, or of filings and their list")
    parser.add_argument("--gold", type=Path, required=True, help="names of owners and of others")
    parser.add_argument(
        "--documents", type=int, default=DOCUMENTS, help="so many of each company; 0: all"
    )
    parser.add_argument(
        "--characters", type=int, default=CHARACTERS, help="so much of each, from its start"
    )
    parser.add_argument("--show", action="store_true", help="print every wrong link")


def run(
    folder: Path,
    gold: Path,
    *,
    documents: int = DOCUMENTS,
    characters: int = CHARACTERS,
    show: bool = False,
    **_: Any,
) -> Score:
    """Precision over all links; recall over the owners' names where the catalogue has the owner.

    About half a minute of a core for each million characters. Raises CannotScore.
    """
    started = time.perf_counter()
    files = [f for group in _by_owner(folder) for f in _spread(group, documents)]
    if not files or not Company.objects.exists():
        raise CannotScore("no documents there, or no company is known (manage.py load_companies)")
    try:
        stored = json.loads(gold.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CannotScore(f"cannot read {gold}: {error}") from error
    names, tally = catalogue(fresh=True), Tally()
    owners = {f.owner: _row(f.owner) for f in files}
    for labelled in files:
        text = _text(labelled.file, characters)
        try:
            _judge(text, labelled.owner, owners[labelled.owner], stored, names, tally)
        except TaggerUnavailable as error:
            raise CannotScore(str(error)) from error
    counts = tally.counts
    precision = counts["right"] / max(counts["linked"], 1)
    detail = {
        **counts,
        "precision": precision,
        "recall": counts["own"] / max(counts["written"], 1),
        "companies": len(owners),
        "in_catalogue": sum(row is not None for row in owners.values()),
        "documents": len(files),
    }
    if show:
        for (surface, name), n in tally.wrong.most_common():
            print(f"{surface} -> {name}: {n}")
    print(json.dumps(detail))
    return Score(
        headline="precision of links",
        value=precision,
        higher_is_better=True,
        n=counts["linked"],
        interval=None,
        seconds=time.perf_counter() - started,
        detail=detail,
    )


def _by_owner(folder: Path) -> Iterator[list[Labelled]]:
    """The folder's documents, each company's together and in the order of their names."""
    listed = folder / "documents.jsonl"
    if listed.exists():
        rows = map(json.loads, listed.read_text(encoding="utf-8").splitlines())
        files = [Labelled(folder / "pdfs" / f"{r['doc_name']}.pdf", r["company"]) for r in rows]
    else:
        files = [Labelled(file, file.name.split("_")[0]) for file in folder.glob("*_*.txt")]
    groups: dict[str, list[Labelled]] = {}
    for labelled in sorted(files, key=lambda f: f.file.name):
        if labelled.file.exists():
            groups.setdefault(labelled.owner, []).append(labelled)
    yield from (groups[owner] for owner in sorted(groups))


def _spread(files: list[Labelled], n: int) -> list[Labelled]:
    """So many of them, evenly from first to last."""
    if not 0 < n < len(files):
        return files
    places = np.linspace(0, len(files) - 1, n)
    return [files[round(place)] for place in places]


def _row(owner: str) -> Company | None:
    found = Company.objects.filter(ticker=owner).first()
    return found or Company.objects.filter(key=company_key(owner)).first()


def _text(file: Path, characters: int) -> str:
    if file.suffix != ".pdf":
        return passage_text(file, 0)[:characters]
    document = pypdfium2.PdfDocument(file)
    n_pages = len(document)
    document.close()
    text, page = "", 0
    while page < n_pages and len(text) < characters:
        text += passage_text(file, page) + "\n"
        page += 1
    return text[:characters]


def _judge(  # noqa: PLR0917
    text: str,
    owner: str,
    row: Company | None,
    gold: dict[str, Any],
    names: Catalogue,
    tally: Tally,
) -> None:
    own = gold["own"].get(owner, [])
    called = [row.name, *([row.ticker] if row.ticker.isalpha() else [])] if row else []
    found = _companies(text, names, called)
    ids = link(found, names.matcher, row.pk if row else None, called)
    linked = dict(Company.objects.filter(pk__in={i for i in ids if i}).values_list("pk", "name"))
    counts = tally.counts
    for mention, company in zip(found, ids, strict=True):
        if company is None:
            continue
        meant = own[0] if mention.name in own else gold["others"].get(mention.name)
        right = bool(meant) and company_key(meant or "") == company_key(linked[company])
        counts["linked"] += 1
        counts["right"] += right
        counts["own"] += right and mention.name in own
        if not right:
            tally.wrong[mention.name, linked[company]] += 1
    if row is not None and own:
        pattern = "|".join(re.escape(name) for name in sorted(own, key=len, reverse=True))
        counts["written"] += len(re.findall(rf"(?<![\w.])(?:{pattern})(?!\w|-\w)", text))


def _companies(text: str, names: Catalogue, called: list[str]) -> list[Found]:
    filer = names_of(called) if called else None
    return [
        mention
        for start, end in finding.windows(text)
        for mention in finding.find(text, start, end, names.known, filer)
        if mention.kind == COMPANY and not mention.value.get("reference")
    ]
