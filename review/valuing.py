"""What a look at an item is worth: how unsure the model is, times what depends on it, times age."""

from __future__ import annotations

import math
from datetime import datetime

from django.db import connection

from extraction.models import BulkDocument
from qa.answer_tables import Citation, ShownPassage

# Of an audited span, which its confidence would put last: as that of a confidence of 0.85.
AUDIT_UNCERTAINTY = 0.5
# A span that relations stand on is delivered together with others.
RELATED = 1.5
# What waits as long as this is worth twice as much, and never more.
OLD_DAYS = 30
# Rows whose value would change by less are left alone: each write costs the index one, too.
WORTH_WRITING = 0.05


def uncertainty(confidence: float, *, audit: bool = False) -> float:
    """4p(1 - p): 1 for a proposal as likely wrong as right, 0 for a certain one."""
    return AUDIT_UNCERTAINTY if audit else 4 * confidence * (1 - confidence)


def stakes(uses: int, *, related: bool = False) -> float:
    """1 + ln(1 + uses), half as much again where relations stand on it."""
    return (1 + math.log1p(uses)) * (RELATED if related else 1)


def uses_of(document_id: int) -> int:
    """How often people were given the document: cited or listed in an answer, or in a bulk run."""
    tables = (Citation, ShownPassage, BulkDocument)
    return sum(table.objects.filter(document=document_id).count() for table in tables)


def value(confidence: float, at_stake: float, *, audit: bool = False) -> float:
    """Of a new item; `revalue` lets it grow with age."""
    return uncertainty(confidence, audit=audit) * at_stake


def revalue(now: datetime) -> int:
    """Let all waiting items be worth what they are worth now; how many changed."""
    constants: dict[str, float | datetime] = {
        "audit": AUDIT_UNCERTAINTY,
        "days": OLD_DAYS,
        "worth": WORTH_WRITING,
        "now": now,
    }
    with connection.cursor() as cursor:
        cursor.execute(_REVALUE, constants)
        return cursor.rowcount


_REVALUE = """
UPDATE review_reviewitem AS item SET value = worth.value
FROM (
    SELECT id,
        (CASE WHEN audit THEN %(audit)s ELSE 4 * confidence * (1 - confidence) END) * stakes
        * (1 + LEAST(1, EXTRACT(EPOCH FROM %(now)s - created_at) / (86400 * %(days)s))) AS value
    FROM review_reviewitem WHERE state = 'open'
) AS worth
WHERE item.id = worth.id AND ABS(worth.value - item.value) > %(worth)s * ABS(item.value)
"""
