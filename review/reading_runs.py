"""Which results of one shown run an expert should look at, each as an item not yet stored."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from extraction import shown
from extraction.delivering import deliver_at
from extraction.models import ExtractedRelation, ExtractedSpan, ExtractionRun
from extraction.relating import required_of
from extraction.schema import SchemaSpec
from extraction.settling import BY_A_PERSON
from review.desk_tables import DeskSettings
from review.item_tables import ReviewItem
from review.proposals import Proposal, a_relation, is_drawn, of_relation, of_span
from review.valuing import stakes, uses_of, value

# That a span without a required relation has none in the text either.
NONE_IS_RIGHT = 0.8
# Relations are delivered with their spans, whatever their rule; only those of doubtful rules enter.
SURE_RELATION = 0.7
DRAWN = "Drawn at random from what is delivered without review."
Kind, Why = ReviewItem.Kind, ReviewItem.Why


@dataclass(slots=True)
class Reading:
    """A shown run with what decides which of its results enter."""

    run: ExtractionRun
    settings: DeskSettings
    spec: SchemaSpec
    uses: int
    spans: list[ExtractedSpan]
    relations: list[ExtractedRelation]
    related: set[int] = field(default_factory=set)

    @classmethod
    def of(cls, run: ExtractionRun, settings: DeskSettings) -> Reading:
        spans = list(shown.spans_of(run.document, run.schema_id))
        relations = list(shown.relations_of(run.document, run.schema_id))
        spec, uses = run.schema.read(), uses_of(run.document_id)
        found = cls(run, settings, spec, uses, spans, relations)
        found.related = {pk for one in relations for pk in (one.head_id, one.tail_id)}
        return found

    def items(self) -> Iterator[ReviewItem]:
        for span in self.spans:
            if span.origin == ExtractedSpan.Origin.MODEL:
                yield from self._of_span(span)
        for relation in self.relations:
            yield from self._of_relation(relation)
        yield from self._incomplete()

    def threshold(self, label: str) -> float:
        return deliver_at(self.spec, self.run.model_version, label)

    def is_sure(self, span: ExtractedSpan) -> bool:
        by_person = span.origin == ExtractedSpan.Origin.PERSON
        return by_person or span.confidence >= self.threshold(span.label)

    def _of_span(self, span: ExtractedSpan) -> Iterator[ReviewItem]:
        item = self._item(Kind.SPAN, of_span(span), span, span.label, span.confidence)
        if not self.is_sure(span):
            item.why = Why.UNSURE
            item.reason = _below(span.confidence, self.threshold(span.label))
            yield self._worth(item, span.pk in self.related)
        elif is_drawn(item.key, self.settings.audit_share, "audit"):
            item.why, item.audit = Why.AUDIT, True
            item.reason = DRAWN
            yield self._worth(item, span.pk in self.related)

    def _of_relation(self, relation: ExtractedRelation) -> Iterator[ReviewItem]:
        """One whose ends are sure: where they are not, these are looked at first."""
        by_person = relation.rule == BY_A_PERSON
        if by_person or not (self.is_sure(relation.head) and self.is_sure(relation.tail)):
            return
        item = self._item(
            Kind.RELATION, of_relation(relation), relation.head, relation.relation,
            relation.confidence,
        )  # fmt: skip
        item.rule = relation.rule
        if relation.confidence < SURE_RELATION:
            item.why, item.reason = Why.UNSURE, _below(relation.confidence, SURE_RELATION)
            yield self._worth(item, related=True)
        elif is_drawn(item.key, self.settings.audit_share, "audit"):
            item.why, item.audit = Why.AUDIT, True
            item.reason = DRAWN
            yield self._worth(item, related=True)

    def _incomplete(self) -> Iterator[ReviewItem]:
        """Sure spans that lack a relation which the schema requires of them."""
        lacking = required_of(self.spec)
        if not lacking:
            return
        made = {(one.relation, one.head_id) for one in self.relations}
        for span in self.spans:
            for name in sorted(lacking.get(span.label, ())):
                if (name, span.pk) not in made and self.is_sure(span):
                    proposal = a_relation(name, of_span(span), None)
                    item = self._item(Kind.RELATION, proposal, span, name, NONE_IS_RIGHT)
                    item.why = Why.INCOMPLETE
                    item.reason = f"It has no “{name}”, which the schema requires."
                    yield self._worth(item, related=True)

    def _item(
        self, kind: str, proposal: Proposal, at: ExtractedSpan, label: str, confidence: float
    ) -> ReviewItem:
        return ReviewItem(
            kind=kind,
            document_id=self.run.document_id,
            schema_id=self.run.schema_id,
            schema_version=self.run.schema_version,
            model_version=self.run.model_version,
            label=label,
            start=at.start,
            end=at.end,
            text=at.text,
            proposal=proposal,
            confidence=confidence,
        ).keyed()

    def _worth(self, item: ReviewItem, related: bool) -> ReviewItem:
        item.stakes = stakes(self.uses, related=related)
        item.value = value(item.confidence, item.stakes, audit=item.audit)
        item.wanted = 2 if is_drawn(item.key, self.settings.double_share, "double") else 1
        return item


def _below(confidence: float, threshold: float) -> str:
    return f"{confidence:.0%} sure; delivered without review from {threshold:.0%} on."
