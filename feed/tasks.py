"""What the queue calls: each looks for pending rows itself, so repeating a call does no harm."""

from __future__ import annotations

from feed import digesting, matching_searches, ranking, telling_matches


def rank_pending() -> None:
    ranking.rank_pending()


def rescore_pending() -> None:
    ranking.rescore_pending()


def send_digests() -> None:
    digesting.send_due()


def alert() -> None:
    matching_searches.match_pending()
    telling_matches.mail_pending()
    telling_matches.post_pending()


def forget_old() -> None:
    ranking.forget_old()
