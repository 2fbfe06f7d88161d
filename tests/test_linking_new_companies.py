"""A company that the tables have just learned is linked at once, by every process."""

from __future__ import annotations

import pytest
from small_corpus import document

from docintel import registry
from ingestion.linking import catalogue, link_mentions
from ingestion.metadata import company_key
from ingestion.models import Company, CompanyAlias, Document, Mention

pytestmark = pytest.mark.django_db
TEXT = "Halden Mills fell. Old Mills rose."


def mentioned(row: Document, *names: str) -> list[Mention]:
    reader = registry.register("recogniser", "by hand", "0" * 64)
    for name in names:
        at = TEXT.index(name)
        row.mentions.create(
            start=at, end=at + len(name), kind="company", name=name, recogniser=reader
        )
    return list(row.mentions.order_by("start"))


def test_a_company_added_since_is_linked() -> None:
    catalogue(fresh=True)
    news = document([TEXT])
    found = mentioned(news, "Halden Mills", "Old Mills")
    assert link_mentions(news) == 0
    halden = Company.objects.create(name="Halden Mills", key=company_key("Halden Mills"))
    assert link_mentions(news) == 1
    CompanyAlias.objects.create(company=halden, name="Old Mills", key=company_key("Old Mills"))
    assert link_mentions(news) == 2
    assert {row.company for row in Mention.objects.filter(pk__in=[m.pk for m in found])} == {halden}


def test_what_has_not_changed_is_not_read_again() -> None:
    Company.objects.create(name="Halden Mills", key=company_key("Halden Mills"))
    assert catalogue() is catalogue()
    assert catalogue(fresh=True) is not catalogue(fresh=True)
