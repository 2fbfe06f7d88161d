"""The one row of a company, found or made by its name."""

from __future__ import annotations

from ingestion.metadata import company_key
from ingestion.models import Company, CompanyAlias

LONGEST_NAME = 200


def company_named(name: str, ticker: str = "") -> Company | None:
    """The company of this name in whatever spelling; None where the name has no letters.

    Several workers may ask for a new one at once. A ticker is added to a row that has none.
    """
    name = " ".join(name.split())[:LONGEST_NAME]
    key = company_key(name)[:LONGEST_NAME]
    if not key:
        return None
    company = (
        _by_alias(key)
        or Company.objects.get_or_create(key=key, defaults={"name": name, "ticker": ticker[:16]})[0]
    )
    if ticker and not company.ticker:
        company.ticker = ticker[:16]
        company.save(update_fields=["ticker"])
    return company


def _by_alias(key: str) -> Company | None:
    """The one company with this other name, unless a company of its own has it."""
    if Company.objects.filter(key=key).exists():
        return None
    found = list(CompanyAlias.objects.filter(key=key).select_related("company")[:2])
    return found[0].company if len(found) == 1 else None
