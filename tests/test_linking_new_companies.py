"""A company that the tables have just learned is linked at once, in what was read before too."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from small_corpus import document

from docintel import registry
from ingestion.judging import say_link
from ingestion.linking import catalogue, link_mentions
from ingestion.linking_older import link_older
from ingestion.merging import add_alias
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


def read(row: Document, *names: str) -> None:
    mentioned(row, *names)
    Document.objects.filter(pk=row.pk).update(recognised_at=timezone.now())


def linked() -> list[str | None]:
    return list(Mention.objects.order_by("start").values_list("company__name", flat=True))


def test_what_was_read_before_a_company_was_known_is_linked_then() -> None:
    news = document([TEXT], title="Halden Mills fell", kind="news")
    read(news, "Halden Mills", "Old Mills")
    assert link_older() == 0
    Company.objects.create(name="Halden Mills, Inc.", key=company_key("Halden Mills, Inc."))
    before = timezone.now()
    assert link_older() == 1
    assert linked() == ["Halden Mills, Inc.", None]
    news.refresh_from_db()
    assert news.company is not None
    assert news.company.name == "Halden Mills, Inc."
    assert news.recognised_at is not None
    assert news.recognised_at > before
    # Nothing is left to do, however often it is asked.
    assert link_older() == 0


def test_another_name_given_by_an_expert_reaches_older_documents() -> None:
    halden = Company.objects.create(name="Halden Mills", key=company_key("Halden Mills"))
    link_older()
    read(document([TEXT]), "Old Mills")
    add_alias(halden, "Old Mills")
    assert link_older() == 1
    assert linked() == ["Halden Mills"]


def test_names_that_only_begin_alike_or_are_two_companies_stay_unlinked() -> None:
    read(document([TEXT]), "Halden Mills")
    Company.objects.create(name="Halden", key=company_key("Halden"))
    one = Company.objects.create(name="Halden Mills", key=company_key("Halden Mills"))
    two = Company.objects.create(name="Mills Halden", key=company_key("Mills Halden"))
    add_alias(two, "Halden Mills")
    assert link_older() == 0
    assert linked() == [None]
    two.delete()
    Company.objects.filter(pk=one.pk).update(older_linked_at=None)
    catalogue(fresh=True)
    assert link_older() == 1


def test_a_document_that_is_being_read_links_itself() -> None:
    mentioned(document([TEXT]), "Halden Mills")
    Company.objects.create(name="Halden Mills", key=company_key("Halden Mills"))
    assert link_older() == 0


def test_what_a_person_said_of_a_name_stays() -> None:
    row = document([TEXT])
    read(row, "Halden Mills")
    say_link(row, "Halden Mills", None)
    Company.objects.create(name="Halden Mills", key=company_key("Halden Mills"))
    # Nor is it read anew for it, which would rank it anew.
    assert link_older() == 0
    assert linked() == [None]


def test_a_turn_without_time_does_one_thing_and_the_next_goes_on() -> None:
    for ending in (" Both did.", " Neither did."):
        read(document([TEXT + ending]), "Halden Mills", "Old Mills")
    Company.objects.create(name="Halden Mills", key=company_key("Halden Mills"))
    Company.objects.create(name="Old Mills", key=company_key("Old Mills"))
    # The two documents; both are linked to the second company by then, so its turn finds none.
    assert [link_older(seconds=-1) for _ in range(5)] == [1, 1, 0, 0, 0]
    assert None not in linked()
    assert not Company.objects.filter(older_linked_at=None).exists()


def test_another_name_given_in_the_admin_reaches_older_documents(
    client: Client, admin_user: User
) -> None:
    halden = Company.objects.create(name="Halden", key=company_key("Halden"))
    alias = add_alias(halden, "Halden Works")
    assert alias
    link_older()
    read(document([TEXT]), "Old Mills", "Halden Mills")
    client.force_login(admin_user)
    for row, other in ((halden, "Old Mills"), (alias, "Halden Mills")):
        place = reverse(f"admin:ingestion_{row._meta.model_name}_change", args=[row.pk])
        form = {"name": other, "key": company_key(other), "company": halden.pk}
        assert client.post(place, form).status_code == 302
        assert link_older() == 1
    assert linked() == ["Old Mills", "Old Mills"]


def test_what_has_not_changed_is_not_read_again() -> None:
    Company.objects.create(name="Halden Mills", key=company_key("Halden Mills"))
    assert catalogue() is catalogue()
    assert catalogue(fresh=True) is not catalogue(fresh=True)
