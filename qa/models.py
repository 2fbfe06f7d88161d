"""Tables of questions and answers, where Django looks for them."""

from __future__ import annotations

from qa.answer_tables import AnswerSentence, Ask, Citation, ModelCall, ShownPassage
from qa.cache_tables import CachedAnswer, ExperimentExposure, ExperimentOutcome
from qa.feedback_tables import AnswerFeedback, FollowUp
from qa.synonym_tables import LearnedSynonym

__all__ = [
    "AnswerFeedback",
    "AnswerSentence",
    "Ask",
    "CachedAnswer",
    "Citation",
    "ExperimentExposure",
    "ExperimentOutcome",
    "FollowUp",
    "LearnedSynonym",
    "ModelCall",
    "ShownPassage",
]
