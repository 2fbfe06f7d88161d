"""An expert says that two companies are one, or that one goes by another name."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Iterable

from django.apps import apps
from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.utils.module_loading import module_has_submodule

from docintel.scheduling import enqueue
from ingestion.companies import LONGEST_NAME
from ingestion.metadata import company_key
from ingestion.models import Company, CompanyAlias, Document, LinkWord, Mention

logger = logging.getLogger(__name__)


@transaction.atomic
def merge_companies(kept: Company, others: Iterable[Company], user: AbstractBaseUser) -> int:
    """Give what the others have to `kept`, their names as aliases, and remove them; how many.

    Their documents leave the search until their passages say the new name, about a second each.
    """
    merged = [company for company in others if company.pk != kept.pk]
    for company in merged:
        Mention.objects.filter(company=company).update(company=kept)
        LinkWord.objects.filter(company=company).update(company=kept)
        Document.objects.filter(company=company).update(
            company=kept, searchable_at=None, embedded_at=None, embedder=None,
            claim=None, claimed_until=None, recognised_at=None, recognised_to=0,
        )  # fmt: skip
        for name in (company.name, *company.aliases.values_list("name", flat=True)):
            add_alias(kept, name)
        for field in ("ticker", "cik", "lei"):
            setattr(kept, field, getattr(kept, field) or getattr(company, field))
        _carry_over(kept, company)
        company.delete()
        logger.info("user %s merged company %s into %s", user.pk, company.name, kept.pk)
    kept.save()
    enqueue("ingestion.tasks.index_pending")
    return len(merged)


def _carry_over(kept: Company, gone: Company) -> None:
    """What other apps keep of a company, by each app's `merged_companies.py`, found by name."""
    for app in apps.get_app_configs():
        if module_has_submodule(app.module, "merged_companies"):
            module = importlib.import_module(f"{app.name}.merged_companies")
            module.carry_over(kept.pk, gone.pk)


def add_alias(company: Company, name: str) -> CompanyAlias | None:
    """Another name of this company; None where the name says nothing new."""
    name = " ".join(name.split())[:LONGEST_NAME]
    key = company_key(name)[:LONGEST_NAME]
    if key in ("", company.key):
        return None
    return CompanyAlias.objects.get_or_create(company=company, key=key, defaults={"name": name})[0]


@transaction.atomic
def split_alias(alias: CompanyAlias, user: AbstractBaseUser) -> Company:
    """Make a company of its own from a name that was taken for another's; its mentions follow."""
    company, _ = Company.objects.get_or_create(key=alias.key, defaults={"name": alias.name})
    named = Mention.objects.filter(company=alias.company, kind=Mention.Kind.COMPANY)
    spelled = [
        name
        for name in named.order_by().values_list("name", flat=True).distinct()
        if company_key(name) == alias.key
    ]
    named.filter(name__in=spelled).update(company=company)
    alias.delete()
    logger.info("user %s split %s off as company %s", user.pk, company.name, company.pk)
    return company
