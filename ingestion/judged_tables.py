"""The table of what people said of links; part of `ingestion.models`."""

from __future__ import annotations

from django.db import models


class LinkWord(models.Model):
    """A person's word on what a name means in one document; `company` is empty for none of them.

    It outranks the linker, also when the document is read again. `ingestion.judging` writes it.
    """

    document = models.ForeignKey(
        "ingestion.Document", on_delete=models.CASCADE, related_name="link_words", db_index=False
    )
    name = models.CharField(max_length=200, help_text="as mentions of the document have it")
    company = models.ForeignKey(
        "ingestion.Company", null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["document", "name"], name="link_word_once")]

    def __str__(self) -> str:
        return f"{self.name} in document {self.document_id}"
