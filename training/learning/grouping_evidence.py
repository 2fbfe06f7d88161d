"""Questions beside a passage that answers them and passages that look right and do not, step by
step; the same for the same step, so that a training goes on where it stopped.

Questions with their evidence are those of `reranker_reports`; the others are what words and meaning
find. Trap: preparing embeds every passage, some minutes for some thousands.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from docintel import encoders
from docintel.scoring import CannotScore
from qa.question.asked_items import read_metrics
from qa.ranking.windows import Asked
from training.learning import reranker_reports
from training.learning.reranker_negatives import Finder, ranked
from training.learning.reranker_reports import Example, Library, Piece

# Of one context of a set, whose questions are much alike; mined ones have negatives of the same
# filing, which serving has too, and count more.
MOST_OF_CONTEXT = 4
MINED_TIMES = 1.5
HELD_OUT = 0.12
POOL = 30
CREDITS_BY_SOURCE = {
    "tatqa": "TAT-QA, Zhu et al. 2021, CC BY 4.0",
    "convfinqa": "ConvFinQA, Chen et al. 2022, MIT",
}


@dataclass(slots=True)
class Prepared:
    """Examples with their negatives, by words and by meaning; `baselines` has the rank of each
    question's evidence among the candidates by either."""

    library: Library
    words: list[list[int]] = field(default_factory=list)
    meaning: list[list[int]] = field(default_factory=list)
    baselines: dict[str, list[float]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Grouped:
    """A question beside pieces of which the first alone answers it best.

    `with_lead` says whether the pieces are to be headed by company and period.
    """

    asked: Asked
    pieces: list[Piece]
    with_lead: bool

    def header(self, piece: Piece) -> str:
        return piece.header if self.with_lead else piece.header.partition("\n")[2]


def add_sources(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--tatqa", type=Path, help="folder with TAT-QA's dev and test_gold.json")
    parser.add_argument("--convfinqa", type=Path, help="folder with ConvFinQA's dev.json")
    parser.add_argument("--filings", type=Path, nargs="*", default=[], help="HTML filings to mine")


def prepare(
    tatqa: Path | None, convfinqa: Path | None, filings: Sequence[Path], *, brief: bool = False
) -> Prepared:
    """All questions with what words and meaning find for each.

    `brief`: of a passage's meaning only its beginning, which takes a fifth of the time. Raises
    CannotScore where no set is named.
    """
    if not (tatqa or convfinqa or filings):
        raise CannotScore("name at least one of --tatqa, --convfinqa and --filings")
    library, tokenizer = Library(), encoders.tokenizer()
    if tatqa:
        reranker_reports.read_tatqa(library, tatqa, tokenizer)
    if convfinqa:
        reranker_reports.read_convfinqa(library, convfinqa, tokenizer)
    if filings:
        reranker_reports.read_filings(library, filings, tokenizer)
    print(
        f"{len(library.pieces)} passages, {len(library.examples)} questions",
        file=sys.stderr, flush=True,
    )  # fmt: skip
    finder = Finder.of(library.pieces, brief=brief)
    prepared = Prepared(library)
    cosines = finder.meaning([example.text for example in library.examples])
    lexical, dense = [], []
    for example, cosine in zip(library.examples, cosines, strict=True):
        asked = as_asked(example.text)
        scores = finder.words(asked.query)
        prepared.words.append(ranked(scores, example))
        prepared.meaning.append(ranked(cosine, example))
        best = max(example.best, key=lambda at: cosine[at])
        pool = pool_of(prepared.words[-1], prepared.meaning[-1])
        lexical.append(1.0 + sum(scores[at] > max(scores[b] for b in example.best) for at in pool))
        dense.append(1.0 + sum(cosine[at] > cosine[best] for at in pool))
    prepared.baselines = {"bm25": lexical, "bi-encoder": dense}
    return prepared


def as_asked(text: str) -> Asked:
    return Asked(text, tuple(item for read in read_metrics(text) for item in read.items))


def pool_of(words: Sequence[int], meaning: Sequence[int]) -> list[int]:
    """The candidates of both in turn, each once."""
    both = [at for two in zip(words, meaning, strict=False) for at in two]
    return list(dict.fromkeys([*both, *words, *meaning]))[:POOL]


def split(examples: Sequence[Example]) -> tuple[list[int], list[int]]:
    """Indices to learn from and to be left out, by report."""
    reports = sorted({example.report for example in examples})
    random.Random(11).shuffle(reports)  # noqa: S311
    left = set(reports[: int(len(reports) * HELD_OUT)])
    held = [at for at, example in enumerate(examples) if example.report in left]
    return [at for at, example in enumerate(examples) if example.report not in left], held


def steps(
    prepared: Prepared,
    train: Sequence[int],
    first: int,
    total: int,
    *,
    per_step: int,
    negatives: int,
) -> Iterator[list[Grouped]]:
    """So many questions a step, each beside up to so many pieces that do not answer it."""
    order: list[int] = []
    for step in range(total):
        if len(order) < per_step:
            order += epoch(prepared, train, random.Random(f"epoch {step}"))  # noqa: S311
        taken, order = order[:per_step], order[per_step:]
        if step >= first:
            yield [_group(prepared, at, random.Random(f"{step} {at}"), negatives) for at in taken]  # noqa: S311


def epoch(prepared: Prepared, train: Sequence[int], chance: random.Random) -> list[int]:
    """The questions of one round, in random order: few of each context, mined ones more often."""
    fresh = list(train)
    chance.shuffle(fresh)
    taken: Counter[int] = Counter()
    order = []
    for at in fresh:
        example = prepared.library.examples[at]
        context = min(example.best | example.beside)
        taken[context] += 1
        if example.source not in CREDITS_BY_SOURCE:
            order += [at] * (1 + (chance.random() < MINED_TIMES - 1))
        elif taken[context] <= MOST_OF_CONTEXT:
            order.append(at)
    chance.shuffle(order)
    return order


def _group(prepared: Prepared, at: int, chance: random.Random, negatives: int) -> Grouped:
    example = prepared.library.examples[at]
    words, meaning = prepared.words[at], prepared.meaning[at]
    chosen = [chance.choice(sorted(example.best))]
    if example.lesser and chance.random() < 0.5:
        chosen.append(chance.choice(sorted(example.lesser)))
    several = chance.sample(words[:15], min(3, len(words[:15])))
    several += chance.sample(meaning[:15], min(2, len(meaning[:15])))
    several += chance.sample(words + meaning, min(negatives, len(words + meaning)))
    chosen += list(dict.fromkeys(several))
    asked = as_asked(_named(example, chance))
    pieces = [prepared.library.pieces[n] for n in chosen[: negatives + 1]]
    return Grouped(asked, pieces, with_lead=chance.random() < 0.5)


def _named(example: Example, chance: random.Random) -> str:
    """The question, for some with company and period, as people put them."""
    if not example.who or chance.random() < 0.5:
        return example.text
    who, when, text = example.who, example.when, example.text
    low = text[:1].lower() + text[1:]
    ways = (f"{who} {when}: {text}", f"For {who} in {when}, {low}", f"{text} ({who}, {when})",
            f"{text.rstrip(' ?')} at {who}?", f"{who}: {low}")  # fmt: skip
    return chance.choice(ways)
