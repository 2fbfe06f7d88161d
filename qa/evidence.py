"""What was gathered for a question: passages, how they were found, numbers to judge them by."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

from docintel.measuring import Timed
from ingestion.models import Document
from qa.passages import Passage


@dataclass(frozen=True, slots=True)
class Found:
    """A passage, and the arrival by which this user knows its document.

    `group` is the company or period that it answers for, empty where nothing is compared; `score`
    is the reranker's, comparable within one Evidence; `why` is for the reader.
    """

    passage: Passage
    document: Document
    score: float
    group: str
    features: dict[str, float]
    why: str

    @property
    def with_cosine(self) -> Passage:
        """The passage with its cosine to the question, where it has one."""
        near = self.features.get("dense", math.nan)
        return replace(self.passage, dense_score=None if math.isnan(near) else near)


@dataclass(frozen=True, slots=True)
class Searched:
    """One look: what it was for, in which documents (in words), how many passages it found."""

    label: str
    scope: str
    found: int


@dataclass(frozen=True, slots=True)
class CompanyFound:
    """A company that a hop found; `chunk_id` is the passage that speaks for it."""

    id: int
    name: str
    score: float
    chunk_id: int


@dataclass(frozen=True, slots=True)
class HopFound:
    """What one hop found: the companies that the next one is asked of or intersected with."""

    question: str
    relation: str
    companies: tuple[CompanyFound, ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Numbers:
    """What a judgement of "not found" can stand on; 0 where there is nothing, shares 0 to 1.

    `dense` is the best cosine, `bm25` the best score by the question's own words, `rank` the best
    reranker's score. `company` and `period` are the shares of the best passages from a company and
    a period that the question names (1 where it names none); `metric_words` is the share of the
    metrics asked for of which a line item stands in the best passages, `words` the share of the
    question's other words. `margin` is the best rank score less that of the last one kept.
    """

    dense: float = 0.0
    bm25: float = 0.0
    rank: float = 0.0
    margin: float = 0.0
    company: float = 0.0
    period: float = 0.0
    metric_words: float = 0.0
    words: float = 0.0


@dataclass(slots=True)
class Evidence(Timed):
    """The passages kept, best first, and everything told about how they were found.

    `candidates` counts the passages that were reranked. `seconds` per step, with `total`.
    """

    passages: tuple[Found, ...] = ()
    candidates: int = 0
    searched: tuple[Searched, ...] = ()
    reranker: str = ""
    hops: tuple[HopFound, ...] = ()
    notes: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    numbers: Numbers = field(default_factory=Numbers)
    cancelled: bool = False

    @property
    def followed(self) -> bool:
        """Whether the question had steps and each of them found companies."""
        return bool(self.hops) and all(hop.companies for hop in self.hops)

    def note(self, text: str) -> None:
        """Each note once."""
        if text not in self.notes:
            self.notes.append(text)
