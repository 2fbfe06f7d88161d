"""What the queue calls for questions; repeating a call does no harm."""

from __future__ import annotations

from docintel.encoders import EncoderUnavailable
from qa import caching, closing_asks
from qa.question import learned_synonyms


def learn_synonyms() -> None:
    try:
        learned_synonyms.learn_if_due()
    except EncoderUnavailable:
        # Answers go on with what was learned before; the next tick tries again.
        return


def close_lost_answers() -> None:
    closing_asks.close_lost()
    caching.forget_old()
