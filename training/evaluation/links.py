"""How well company names in earnings calls are linked, by the code that serves.

`FOLDER/TICKER_*.txt` are calls; each is taken as the ticker's document where the catalogue has the
ticker. A company outside the catalogue must stay unlinked.
"""

from __future__ import annotations

import argparse
import json
import re
import time
from collections import Counter
from pathlib import Path
from typing import Any

from docintel.scoring import CannotScore, Score
from ingestion.linking import Catalogue, catalogue
from ingestion.metadata import company_key
from ingestion.models import Company
from ingestion.recognising import finding
from ingestion.recognising.known_names import names_of
from ingestion.recognising.matching import link
from ingestion.recognising.mention import COMPANY
from ingestion.recognising.tagging import TaggerUnavailable


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, help="folder of calls named TICKER_….txt")
    parser.add_argument("--gold", type=Path, required=True, help="names of tickers and of others")
    parser.add_argument("--every", type=int, default=1, help="only every so many calls")
    parser.add_argument("--skip", type=int, default=0, help="leave out so many calls first")
    parser.add_argument("--show", action="store_true", help="print every wrong link")


def run(
    folder: Path, gold: Path, *, every: int = 1, skip: int = 0, show: bool = False, **_: Any
) -> Score:
    """Precision over all links; recall over the calls' own names where the catalogue has them.

    Raises CannotScore.
    """
    started = time.perf_counter()
    files = sorted(folder.glob("*_*.txt"))[skip::every]
    if not files or not Company.objects.exists():
        raise CannotScore("no calls there, or no company is known (manage.py load_companies)")
    stored = json.loads(gold.read_text(encoding="utf-8"))
    names = catalogue(fresh=True)
    tickers = dict(Company.objects.exclude(ticker="").values_list("ticker", "pk"))
    counts: Counter[str] = Counter()
    wrong: Counter[tuple[str, str]] = Counter()
    for file in files:
        ticker = file.name.split("_")[0]
        try:
            text = file.read_text(encoding="utf-8", errors="replace")
            counts += _judge(text, ticker, tickers.get(ticker), stored, names, wrong)
        except TaggerUnavailable as error:
            raise CannotScore(str(error)) from error
    listed = {file.name.split("_")[0] for file in files}
    precision = counts["right"] / max(counts["linked"], 1)
    detail = {
        **counts, "precision": precision, "recall": counts["own"] / max(counts["written"], 1),
        "tickers": len(listed), "in_catalogue": len(listed & tickers.keys()), "calls": len(files),
        "wrong_outside_catalogue": counts["outside"],
    }  # fmt: skip
    if show:
        print("\n".join(f"{surface} -> {name}: {n}" for (surface, name), n in wrong.most_common()))
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


def _judge(  # noqa: PLR0917
    text: str,
    ticker: str,
    filer: int | None,
    gold: dict[str, Any],
    names: Catalogue,
    wrong: Counter[tuple[str, str]],
) -> Counter[str]:
    own = gold["own"].get(ticker, [])
    row = Company.objects.filter(pk=filer or 0).first()
    called = [row.name, row.ticker] if row else []
    found = [
        mention
        for start, end in finding.windows(text)
        for mention in finding.find(
            text, start, end, names.known, names_of(called) if called else None
        )
        if mention.kind == COMPANY and not mention.value.get("reference")
    ]
    ids = link(found, names.matcher, filer, called)
    linked = dict(Company.objects.filter(pk__in={i for i in ids if i}).values_list("pk", "name"))
    counts: Counter[str] = Counter()
    own_name = own[0] if own else ""
    for mention, company in zip(found, ids, strict=True):
        if company is None:
            continue
        meant = own_name if mention.name in own else gold["others"].get(mention.name)
        right = bool(meant) and company_key(meant or "") == company_key(linked[company])
        counts["linked"] += 1
        counts["right"] += right
        counts["own"] += right and mention.name in own
        counts["outside"] += not right and filer is None
        if not right:
            wrong[mention.name, linked[company]] += 1
    if filer is not None and own:
        pattern = "|".join(re.escape(name) for name in sorted(own, key=len, reverse=True))
        counts["written"] += len(re.findall(rf"(?<![\w.])(?:{pattern})(?!\w|-\w)", text))
    return counts
