"""An answer given before, for the same question while nothing that it depends on has changed.

`Key.of` is taken before anything is searched, so that what arrives meanwhile makes the answer no
one's. Trap: a key holds what a person may not see, as a digest only; it is shown to nobody.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.db.models import Count, Max, Q, Sum
from django.utils import timezone
from numpy.typing import NDArray

from docintel import encoders, measuring, registry
from docintel.encoders import EncoderUnavailable
from ingestion.models import Document, DocumentTopic, Mention, Source
from ingestion.querysets import User
from qa import llm
from qa.answer_tables import AnswerSentence, Ask, Citation
from qa.cache_tables import CachedAnswer
from qa.comparing_questions import agreement
from qa.composing import prompt_name
from qa.ranking.scoring_chunks import embed_in_background
from qa.understanding import Understanding

# Raise it when the way from a question to its answer changes.
GENERATION = 2
MOST_DISTANCE = 0.05
KEPT = timedelta(days=30)
_KINDS = tuple(Document.Kind.values)


@dataclass(frozen=True, slots=True)
class Key:
    """SHA-256 of all that must agree, and the question's unit vector."""

    digest: str
    vector: NDArray[np.float32]

    @classmethod
    def of(
        cls, understanding: Understanding, user: User, *, route: str, page: dict[str, Any],
        removed: tuple[str, ...],
    ) -> Key | None:  # fmt: skip
        """None while no encoder answers: then nothing is repeated and nothing kept."""
        try:
            embedder = encoders.live_embedder()
            vector = embed_in_background([understanding.question]).result()[0]
        except EncoderUnavailable:
            return None
        parts = {
            "generation": GENERATION,
            "asked": agreement(understanding, route),
            "page": page,
            "removed": sorted(removed),
            "hidden": sorted(Source.objects.hidden_from(user).values_list("pk", flat=True)),
            "models": [embedder.pk, embedder.digest, *_models(understanding, route)],
            "index": _index_state(understanding),
        }
        text = json.dumps(parts, sort_keys=True, cls=DjangoJSONEncoder)
        return cls(hashlib.sha256(text.encode()).hexdigest(), vector)


def _models(understanding: Understanding, route: str) -> list[str]:
    """Every model and prompt that has a say in the answer."""
    live = [registry.live(name) for name in ("router", "ranker", "reranker", "answerable")]
    named = [f"{version.name}:{version.digest}" for version in live if version is not None]
    if llm.is_configured():
        prompt = llm.prompt(prompt_name(understanding, route))
        named += [settings.OPENAI_BASE_URL, llm.model_for(route).name, prompt.sha256]
    return named


def _index_state(understanding: Understanding) -> list[Any]:
    """Changes with every document that comes, changes or goes and may bear on the question.

    With companies: their documents, those that mention them, and those of no known company. Only
    what search finds counts: until it is parsed, every document is of no known company.
    """
    documents = Document.objects.order_by().searchable()
    companies = understanding.scope().companies
    if companies:
        mentioning = Mention.objects.filter(company__in=companies).order_by().values("document")
        documents = documents.filter(
            Q(company__in=companies) | Q(company__isnull=True) | Q(pk__in=mentioning)
        )
    state = documents.aggregate(
        n=Count("pk"), ids=Sum("pk"), years=Sum("fiscal_year"), quarters=Sum("fiscal_quarter"),
        companies=Sum("company"), latest=Max("published_on"), embedders=Sum("embedder"),
        chunks=Sum("chunk_count"), indexed=Max("searchable_at"), embedded=Max("embedded_at"),
        **{kind: Count("pk", filter=Q(kind=kind)) for kind in _KINDS},
    )  # fmt: skip
    topics = DocumentTopic.objects.count() if understanding.confined_to.topics else 0
    return [sorted(state.items()), topics]


def find(key: Key, user: User) -> Ask | None:
    """The answer to repeat for this user, the newest first; None where there is none."""
    rows = CachedAnswer.objects.filter(
        key=key.digest, created_at__gte=timezone.now() - timedelta(days=settings.ASK_CACHE_DAYS)
    )
    found = None
    for row in rows.select_related("ask").order_by("-created_at")[:5]:
        distance = 1.0 - float(np.asarray(row.embedding, dtype=np.float32) @ key.vector)
        if distance <= MOST_DISTANCE and _stands(row.ask, user):
            found = row.ask
            break
    measuring.record("ask_cache_hit", float(found is not None))
    return found


def _stands(ask: Ask, user: User) -> bool:
    """Whether every document that it cites is still current and this user's to read."""
    cited = set(
        Citation.objects.filter(sentence__ask=ask, sentence__state="kept").values_list(
            "document", flat=True
        )
    )
    there = Document.objects.visible_to(user).searchable().filter(pk__in=cited)
    return ask.state == Ask.State.ANSWERED and bool(cited) and there.count() == len(cited)


def keep(ask: Ask, key: Key) -> None:
    """Let an answered question be repeated; anything else is not kept."""
    if ask.state == Ask.State.ANSWERED and not ask.notice:
        CachedAnswer.objects.create(ask=ask, key=key.digest, embedding=key.vector)


def repeat(original: Ask, ask: Ask) -> None:
    """Gives `ask` the original's sentences and citations as its own rows."""
    with transaction.atomic():
        for sentence in original.sentences.filter(state=AnswerSentence.State.KEPT):
            citations = list(sentence.citations.all())
            sentence.pk, sentence.ask = None, ask
            sentence.save(force_insert=True)
            for cited in citations:
                cited.pk, cited.sentence = None, sentence
            Citation.objects.bulk_create(citations)
        ask.cached_from, ask.mode = original, original.mode
        ask.save(update_fields=["cached_from", "mode"])


def forget_old() -> int:
    """Deletes what is too old to be repeated; how many."""
    deleted, _ = CachedAnswer.objects.filter(created_at__lt=timezone.now() - KEPT).delete()
    return deleted
