"""What people said about spans and relations, apart from the rows that follow from it.

Part of `extraction.models`. Rows of results go when a document is read again; these stay, and
`settling` makes the results agree with them.
"""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from ingestion.models import Document


class PersonsWord(models.Model):
    """That `document.text[start:end]` is, or is not, a `label`; or is head of that relation.

    Offsets are into the text of this document, which never changes; an amendment is another one.
    `ref` names what it was said about, for whoever says: all words of one `ref` are replaced
    together. Of two words about the same, the later one counts.
    """

    document = models.ForeignKey(
        Document, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    schema = models.ForeignKey("extraction.Schema", on_delete=models.PROTECT, related_name="+")
    ref = models.BigIntegerField(db_index=True)
    right = models.BooleanField()
    label = models.CharField(max_length=80)
    start = models.PositiveIntegerField()
    end = models.PositiveIntegerField()
    relation = models.CharField(max_length=80, blank=True, help_text="empty: about the span itself")
    tail_label = models.CharField(max_length=80, blank=True)
    tail_start = models.PositiveIntegerField(null=True, blank=True)
    tail_end = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(condition=Q(start__lt=F("end")), name="word_has_text"),
        ]
        indexes = [models.Index(fields=["document", "schema"], name="word_of_document")]

    def __str__(self) -> str:
        return f"{'' if self.right else 'no '}{self.relation or self.label} {self.start}–{self.end}"
