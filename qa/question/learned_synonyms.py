"""Terms that stand near a question's in the corpus's embedding space: learned, and looked up.

`learn` is for a worker: it embeds thousands of terms (tens of seconds on two cores).
"""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence

import numpy as np
from django.db import transaction
from django.utils import timezone
from numpy.typing import NDArray

from docintel import encoders
from ingestion.models import Chunk, Document
from ingestion.recognising.words import DETERMINERS, PLACES
from qa.models import LearnedSynonym
from qa.question.wording import plain

NEAR = 0.72
MOST_NEIGHBOURS = 4
MOST_TERMS = 3_000
MOST_CHUNKS = 6_000
FEWEST_DOCUMENTS = 3  # that hold a term
ENOUGH_DOCUMENTS = 10  # below that a corpus has no language of its own
AGAIN_AFTER = dt.timedelta(days=7)
BATCH = 256
_WORD = re.compile(r"[A-Za-z][A-Za-z'’-]*|[^\sA-Za-z]+")
_STOP = frozenset(
    re.findall(
        r"\w+",
        """a about above after again all also am an and any are as at be because been before being
    below between both but by can could did do does doing down during each etc few for from further
    had has have having he her here him his how however if in including into is it its itself just
    less may me might more most must my no nor not now of off on once only or other our out over own
    per same shall she should so some such than that the their them then there these they this those
    through thus to together too under until up upon us very was we were what when where which while
    who whom whose why will with within without would year years quarter months million billion
    thousand ended approximately respectively certain primarily related based well new one two three
    first second third fourth fiscal december march june september january july see page table""",
    )
)


def neighbours(
    text: str, names: Collection[tuple[int, int]] = ()
) -> dict[str, list[tuple[str, float]]]:
    """Learned neighbours of the question's terms, at most three words each; names left out."""
    found = list(re.finditer(r"[A-Za-z][A-Za-z'’-]*", text))
    words = [
        match[0].lower()
        for match in found
        if not any(start <= match.start() < end for start, end in names)
    ]
    terms = {" ".join(words[at : at + n]) for n in (1, 2, 3) for at in range(len(words) - n + 1)}
    rows: dict[str, list[tuple[str, float]]] = defaultdict(list)
    query = LearnedSynonym.objects.filter(term__in=[term for term in terms if len(term) <= 80])
    for term, near, similarity in query.values_list("term", "neighbour", "similarity"):
        rows[term].append((near, similarity))
    # "net" of "net sales" says less than "net sales".
    longer = {
        part
        for term in rows
        for part in rows
        if part != term and re.search(rf"\b{re.escape(part)}\b", term)
    }
    return {term: near for term, near in rows.items() if term not in longer}


def learn_if_due() -> int:
    """Learn anew when a week has passed and nothing waits to be embedded; rows stored."""
    embedder = encoders.live_embedder()
    latest = LearnedSynonym.objects.order_by("-learned_at").first()
    fresh = latest and latest.embedder_id == embedder.pk
    if latest and fresh and timezone.now() - latest.learned_at < AGAIN_AFTER:
        return 0
    if Document.objects.searchable().unembedded(embedder).exists():
        return 0
    return learn()


def learn() -> int:
    """Replace all learned synonyms by those of the corpus as it is; how many there are now.

    Raises `EncoderUnavailable`.
    """
    documents = Document.objects.searchable().filter(source__groups__isnull=True)
    if documents.count() < ENOUGH_DOCUMENTS:
        return 0
    terms = frequent_terms(_bodies(documents.values_list("pk", flat=True)))
    if not terms:
        return 0
    embedder = encoders.live_embedder()
    vectors = np.concatenate(
        [encoders.embed(terms[at : at + BATCH]) for at in range(0, len(terms), BATCH)]
    )
    now = timezone.now()
    rows = [
        LearnedSynonym(
            term=terms[i], neighbour=terms[j], similarity=cosine, embedder=embedder, learned_at=now
        )
        for i, j, cosine in nearest(terms, vectors)
    ]
    with transaction.atomic():
        LearnedSynonym.objects.all().delete()
        LearnedSynonym.objects.bulk_create(rows, batch_size=1_000)
    return len(rows)


def frequent_terms(texts: Iterable[tuple[int, str]]) -> list[str]:
    """Words and phrases of up to three words that several documents write in small letters.

    Most frequent first. `texts` are (document, passage) pairs.
    """
    where: dict[str, set[int]] = defaultdict(set)
    counts: Counter[str] = Counter()
    for document, text in texts:
        words = _WORD.findall(text)
        for n in (1, 2, 3):
            for at in range(len(words) - n + 1):
                term = _term(words[at : at + n])
                if term:
                    where[term].add(document)
                    counts[term] += 1
    common = [term for term in counts if len(where[term]) >= FEWEST_DOCUMENTS]
    # A phrase says more than its words, and is rarer.
    common.sort(key=lambda term: (-counts[term] * term.count(" ") ** 2 or -counts[term] / 4, term))
    return common[:MOST_TERMS]


def nearest(terms: Sequence[str], vectors: NDArray[np.float32]) -> list[tuple[int, int, float]]:
    """(term, neighbour, cosine) for each term's nearest that are other words, best first."""
    rows: list[tuple[int, int, float]] = []
    stems = [frozenset(map(plain, term.replace("-", " ").split())) for term in terms]
    for begin in range(0, len(terms), 512):
        cosines = vectors[begin : begin + 512] @ vectors.T
        for offset, row in enumerate(cosines):
            i = begin + offset
            kept = 0
            for j in np.argsort(-row)[:40]:
                if row[j] < NEAR or kept == MOST_NEIGHBOURS:
                    break
                # "sales" and "net sales" share what they say; search finds one by the other.
                if j == i or stems[i] <= stems[j] or stems[j] <= stems[i]:
                    continue
                rows.append((i, int(j), float(min(row[j], 1.0))))
                kept += 1
    return rows


def _bodies(documents: Iterable[int]) -> Iterable[tuple[int, str]]:
    """Passages spread evenly over the documents."""
    ids = list(documents)
    each = max(1, MOST_CHUNKS // max(len(ids), 1))
    for pk in ids:
        rows = Chunk.objects.filter(document=pk).order_by("ordinal")
        count = rows.count()
        step = max(1, count // each)
        wanted = list(range(0, count, step))[:each]
        for chunk in rows.filter(ordinal__in=wanted):
            yield pk, chunk.text


def _term(words: Sequence[str]) -> str:
    """The phrase where it can be a term: small letters, no stop word at an end, no number."""
    if any(not word[0].islower() for word in words):
        return ""
    if any(len(word) < 3 for word in (words[0], words[-1])):
        return ""
    if words[0] in _STOP or words[-1] in _STOP or any(word in DETERMINERS for word in words):
        return ""
    if any(word in PLACES for word in words) or any(word in ("and", "or") for word in words):
        return ""
    term = " ".join(words).replace("’", "'")
    return term if 4 <= len(term) <= 80 else ""
