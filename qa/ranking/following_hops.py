"""A question in several steps: each step's companies are found, then the next is asked of them.

The companies between the steps are part of the evidence, so that the reader sees them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from ingestion.models import Company, Document
from ingestion.querysets import User
from qa.evidence import CompanyFound, Evidence, HopFound
from qa.ranking.candidates import Entry
from qa.ranking.ranking_features import content_words, word_list
from qa.ranking.ranking_looks import Cancelled, Ranking, rank_all
from qa.understanding import understand
from qa.understood import CompanyRead, Hop, Understanding

# A company counts as found by a step when one of its passages says this share of the step's words,
# or of what they are also called; fewer where it also means nearly as much as the best one does.
SAID = 0.6
SAID_AND_MEANT = 0.5
MEANT = 0.08
LEAST_MEANT = 0.35
MOST_COMPANIES = 6
# Words of the frame of such a question, not of what it asks.
FRAME = content_words(
    "companies firms issuers banks retailers businesses corporations stocks reported mentioned "
    "disclosed cited flagged announced noted discussed saw had list find name identify"
)


def follow(
    evidence: Evidence,
    understanding: Understanding,
    user: User,
    depth: int,
    stop: Cancelled,
) -> list[Ranking]:
    """Rankings by company and step, for the companies that came through all steps.

    Where a step finds no company, the steps so far are all there is, and a note says so.
    """
    found: dict[int, CompanyFound] = {}
    kept: list[Ranking] = []
    for hop in understanding.hops:
        step = _step(hop, understanding, user, found)
        rankings = rank_all(evidence, step, user, "synthesis", depth, stop)
        kept += rankings
        if hop.relation == "then":
            evidence.hops += (HopFound(step.question, hop.relation, tuple(found.values())),)
            continue
        now = {each.id: each for each in companies_found(rankings, step)}
        if hop.relation == "intersect":
            now = {pk: each for pk, each in now.items() if pk in found}
        note = "" if now else "No company was found by this step."
        evidence.hops += (HopFound(step.question, hop.relation, tuple(now.values()), note),)
        if not now:
            evidence.note(f"No company was found for: {step.question}")
            return kept
        found = now
    return _by_company(kept, found)


def companies_found(rankings: Sequence[Ranking], step: Understanding) -> list[CompanyFound]:
    """Companies with a passage that says what the step asks, best first, at most six."""
    best: dict[int, CompanyFound] = {}
    pairs = [(ranking, entry) for ranking in rankings for entry, _ in ranking.ranked]
    closest = max((_meaning(entry) for _, entry in pairs), default=0.0)
    owners = _owners(entry for _, entry in pairs)
    names = dict(Company.objects.filter(pk__in=owners.values()).values_list("pk", "name"))
    phrases = [words for row in step.expansions if len(words := word_list(row.term)) > 1]
    for ranking, entry in pairs:
        company = owners.get(entry.passage.document_id)
        if company is None:
            continue
        said = _said(entry.passage.text, ranking.question.words - FRAME, phrases)
        close = _meaning(entry) >= max(LEAST_MEANT, closest - MEANT)
        if said < SAID and not (close and said >= SAID_AND_MEANT):
            continue
        score = said + _meaning(entry)
        if company not in best or best[company].score < score:
            best[company] = CompanyFound(company, names[company], score, entry.passage.chunk_id)
    ordered = sorted(best.values(), key=lambda each: (-each.score, each.name))
    return ordered[:MOST_COMPANIES]


def _step(
    hop: Hop, understanding: Understanding, user: User, found: Mapping[int, CompanyFound]
) -> Understanding:
    """The step as a question of its own: its periods, and the companies found before it."""
    names = " and ".join(each.name for each in found.values())
    text = hop.question.replace("{found}", names)
    page = understanding.confined_to
    step = understand(text, user, as_of=understanding.as_of, scope=page)
    companies = step.companies
    if found:
        # At no place in the question: no word of it stands for them.
        companies = tuple(
            CompanyRead(0, 0, each.id, each.name, "", "name", has_documents=True)
            for each in found.values()
        )
    return replace(
        step,
        companies=companies,
        ambiguous=(),
        periods=hop.periods,
        comparison=len(companies) > 1,
        temporal=False,
        hops=(),
    )


def _by_company(rankings: Sequence[Ranking], found: Mapping[int, CompanyFound]) -> list[Ranking]:
    """Each step's passages, apart by company; of other companies none."""
    owners = _owners(entry for ranking in rankings for entry, _ in ranking.ranked)
    apart = []
    for company in found.values():
        for ranking in rankings:
            mine = [
                (entry, score)
                for entry, score in ranking.ranked
                if owners.get(entry.passage.document_id) == company.id
            ]
            if mine:
                look = replace(ranking.looked.look, group=company.name)
                looked = replace(ranking.looked, look=look)
                apart.append(replace(ranking, looked=looked, ranked=mine))
    return apart


def _owners(entries: Iterable[Entry]) -> dict[int, int]:
    """Document id to company id, of those that have a company."""
    documents = Document.objects.filter(pk__in={entry.passage.document_id for entry in entries})
    return dict(documents.exclude(company=None).order_by().values_list("pk", "company"))


def _said(text: str, words: frozenset[str], phrases: Sequence[tuple[str, ...]]) -> float:
    """The share of the words in the text; 1 where a phrase that means the same stands there."""
    found = word_list(text)
    line = f" {' '.join(found)} "
    if any(f" {' '.join(phrase)} " in line for phrase in phrases):
        return 1.0
    return len(words & set(found)) / len(words) if words else 0.0


def _meaning(entry: Entry) -> float:
    dense = entry.features["dense"]
    return 0.0 if math.isnan(dense) else dense
