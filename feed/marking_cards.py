"""What the server knows of a card that it shows, signed, so that events can only repeat it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid5

from django.core import signing

from ingestion.querysets import User

SALT = "feed card"
# A tab may stay open over a weekend.
VALID_FOR = timedelta(days=3)


class BadMark(ValueError):
    """It was not made here, for another person, or too long ago."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A slot of one rendering of the feed: `position` from 1, `propensity` as in FeedEvent."""

    document_id: int
    page: UUID
    position: int
    exploring: bool
    propensity: float
    version_id: int | None

    @property
    def impression_id(self) -> UUID:
        """The id of the one event that says that it was shown."""
        return uuid5(self.page, str(self.document_id))


def sign(mark: Mark, user: User) -> str:
    """Text for the card."""
    said = [
        user.pk, mark.document_id, mark.page.hex, mark.position, int(mark.exploring),
        round(mark.propensity, 6), mark.version_id,
    ]  # fmt: skip
    return signing.dumps(said, salt=SALT)


def read(text: str, user: User) -> Mark:
    """Raises BadMark, also for the card of another person's feed."""
    try:
        said: Any = signing.loads(text, salt=SALT, max_age=VALID_FOR)
    except signing.BadSignature as error:
        raise BadMark(str(error)) from error
    person, document, page, position, exploring, propensity, version = said
    if person != user.pk:
        raise BadMark("the card of another person's feed")
    return Mark(document, UUID(page), position, bool(exploring), float(propensity), version)
