"""The one row of a company, found or made by its name."""

from __future__ import annotations

from ingestion.metadata import company_key
from ingestion.models import Company

LONGEST_NAME = 200


def company_named(name: str, ticker: str = "") -> Company | None:
    """The company of this name in whatever spelling; None where the name has no letters.

    Several workers may ask for a new one at once. A ticker is added to a row that has none.
    """
    name = " ".join(name.split())[:LONGEST_NAME]
    key = company_key(name)[:LONGEST_NAME]
    if not key:
        return None
    company, _ = Company.objects.get_or_create(
        key=key, defaults={"name": name, "ticker": ticker[:16]}
    )
    if ticker and not company.ticker:
        company.ticker = ticker[:16]
        company.save(update_fields=["ticker"])
    return company
