"""What a verdict on a link or a topic makes of the document."""

from __future__ import annotations

from ingestion import judging
from review.correction_tables import Correction
from review.item_tables import ReviewItem

KINDS = (ReviewItem.Kind.ENTITY, ReviewItem.Kind.TOPIC)


def settle(item: ReviewItem, final: Correction | None) -> None:
    """Within a transaction: the document says what the final verdict does; without one, as before.

    `item` with its document.
    """
    assert item.document is not None
    proposal = item.proposal
    if item.kind == ReviewItem.Kind.ENTITY:
        if final is None:
            judging.unsay_link(item.document, proposal["name"])
        else:
            company = final.after["company"] if final.after else None
            judging.say_link(item.document, proposal["name"], company)
    elif final is None:
        assert item.model_version is not None
        judging.unsay_topic(
            item.document, proposal["topic"], proposal["probability"], item.model_version
        )
    else:
        applies = proposal["applies"] if final.after else not proposal["applies"]
        judging.say_topic(item.document, proposal["topic"], applies=applies, by=final.who_id)
