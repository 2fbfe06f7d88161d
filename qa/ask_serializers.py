"""What the API says of questions and answers."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from ingestion.scope_fields import Scoped, Strict
from qa.answer_tables import Ask
from qa.asking_forms import LONGEST_KEY, MOST_REMOVED
from qa.feedback import MOST_CHARACTERS
from qa.feedback_tables import AnswerFeedback


class Question(Scoped):
    """A question with what it is confined to, as the search is; an unknown field is an error."""

    question = serializers.CharField(help_text="at most 2,000 characters")
    as_of = serializers.DateField(
        required=False, help_text="relative periods count from this day; today unless told"
    )
    removed = serializers.ListField(
        child=serializers.CharField(max_length=LONGEST_KEY),
        required=False,
        max_length=MOST_REMOVED,
        help_text="keys of chips that the question does not mean",
    )

    again = serializers.BooleanField(
        default=False, help_text="compose it anew, though the same was answered before"
    )
    compose = serializers.BooleanField(
        default=False, help_text="compose an answer though an experiment lists passages"
    )

    def options(self) -> dict[str, Any]:
        """Further keyword arguments of `asking.ask`."""
        return {
            "again": self.validated_data["again"],
            "compose_anyway": self.validated_data["compose"],
            "as_of": self.validated_data.get("as_of"),
            "removed": tuple(self.validated_data.get("removed", ())),
        }


class Place(serializers.Serializer[Any]):
    """Characters `start` to `end` of a document's text."""

    document = serializers.UUIDField()
    title = serializers.CharField()
    company = serializers.CharField()
    kind = serializers.CharField()
    period = serializers.CharField()
    date = serializers.CharField(help_text="of publication, ISO; or empty")
    page = serializers.IntegerField()
    start = serializers.IntegerField()
    end = serializers.IntegerField()
    url = serializers.CharField(help_text="the page that opens at it")


class Cited(Place):
    """`quote` stands in the document word for word."""

    n = serializers.IntegerField(help_text="of the passage; the same in the whole answer")
    quote = serializers.CharField()


class Listed(Place):
    """A passage shown without being cited."""

    ordinal = serializers.IntegerField()
    text = serializers.CharField()


class AnsweredSentence(serializers.Serializer[Any]):
    ordinal = serializers.IntegerField(help_text="may skip those that were dropped")
    text = serializers.CharField()
    group = serializers.CharField(help_text="the company or period it is about, where grouped")
    citations = Cited(many=True)


class Answer(serializers.ModelSerializer[Ask]):
    """An answer; each of its sentences was verified against what it cites."""

    id = serializers.UUIDField(source="public_id", read_only=True)
    question = serializers.CharField(source="text", read_only=True)
    url = serializers.HyperlinkedIdentityField(view_name="qa_api:answer", lookup_field="public_id")
    sentences = serializers.SerializerMethodField()
    passages = serializers.SerializerMethodField()

    class Meta:
        model = Ask
        fields = (
            *("id", "url", "question", "state", "route", "confidence", "mode", "notice"),
            *("created_at", "finished_at", "sentences", "passages", "understood", "receipt"),
        )
        read_only_fields = fields

    @extend_schema_field(AnsweredSentence(many=True))
    def get_sentences(self, _: Ask) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.context["sentences"]
        return found

    @extend_schema_field(Listed(many=True))
    def get_passages(self, _: Ask) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.context["passages"]
        return found


class Feedback(Strict):
    """A verdict on an answer; `reason` and `text` are kept with "down" only."""

    verdict = serializers.ChoiceField(choices=AnswerFeedback.Verdict.choices)
    reason = serializers.ChoiceField(
        choices=AnswerFeedback.Reason.choices, required=False, allow_blank=True
    )
    text = serializers.CharField(
        required=False, allow_blank=True, max_length=MOST_CHARACTERS, help_text="in your own words"
    )
    created_at = serializers.DateTimeField(read_only=True)
