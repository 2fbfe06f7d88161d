"""Tables of the feed."""

from __future__ import annotations

from feed.credibility_tables import RatedSource, SourceRate
from feed.event_tables import Engagement, FeedEvent
from feed.failure_tables import RankFailure
from feed.item_tables import FeedItem, RankedDocument
from feed.rating_tables import Rating, RatingAsk
from feed.saved_search_tables import SavedSearch, SearchMatch
from feed.signal_tables import FeedProfile, Follow, Interest

__all__ = [
    "Engagement",
    "FeedEvent",
    "FeedItem",
    "FeedProfile",
    "Follow",
    "Interest",
    "RankFailure",
    "RankedDocument",
    "RatedSource",
    "Rating",
    "RatingAsk",
    "SavedSearch",
    "SearchMatch",
    "SourceRate",
]
