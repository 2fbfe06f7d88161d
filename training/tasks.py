"""What the training queue calls: it looks for what is due itself, so repeating does no harm."""

from __future__ import annotations

from training import learning_if_due, learning_topics_if_due


def learn() -> None:
    learning_if_due.learn_all_due()
    learning_topics_if_due.learn_if_due()
