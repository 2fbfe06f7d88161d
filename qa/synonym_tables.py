"""Tables of questions: which terms of the corpus stand near one another."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from docintel.models import ModelVersion


class LearnedSynonym(models.Model):
    """Two terms of the corpus whose embeddings are near; `similarity` is their cosine.

    Learned from documents that everyone who may sign in may see, so that no term tells of a hidden
    one. All rows are replaced together.
    """

    term = models.CharField(max_length=80, db_index=True)
    neighbour = models.CharField(max_length=80)
    similarity = models.FloatField()
    embedder = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, related_name="+")
    learned_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["term", "-similarity"]
        constraints = [
            models.UniqueConstraint(fields=["term", "neighbour"], name="synonym_once"),
        ]

    def __str__(self) -> str:
        return f"{self.term} ~ {self.neighbour} ({self.similarity:.2f})"
