"""The admin: nobody gains by it what they lack, a token is shown once, no list loads a text."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from docintel.models import ApiToken
from ingestion.models import Document, Source

POLL = {"poll_minutes": 30}

pytestmark = pytest.mark.django_db


def test_a_new_token_is_shown_once_and_works(client, adam, ian):
    client.force_login(adam)
    form = {
        "user": ian.pk,
        "name": "nightly",
        "may_write": "on",
        "expires_at_0": "",
        "expires_at_1": "",
    }
    page = client.post("/admin/docintel/apitoken/add/", form)
    assert page.status_code == 200
    assert "no-store" in page["Cache-Control"]
    token = re.search(rb"dik_[\w-]{40,}", page.content).group().decode()
    row = ApiToken.objects.get()
    assert (row.user, row.may_write) == (ian, True)
    client.logout()
    headers = {"Authorization": f"Bearer {token}"}
    assert client.get("/api/v1/documents/", headers=headers).status_code == 200
    client.force_login(adam)
    for address in ("", f"{row.pk}/change/", f"{row.pk}/history/"):
        content = client.get(f"/admin/docintel/apitoken/{address}").content
        assert token.encode() not in content
        assert row.digest.encode() not in content


def test_revoking_ends_a_token(client, adam, ian):
    row, token = ApiToken.issue(ian, "test")
    client.force_login(adam)
    client.post("/admin/docintel/apitoken/", {"action": "revoke", "_selected_action": [row.pk]})
    row.refresh_from_db()
    assert row.revoked_at is not None
    client.logout()
    headers = {"Authorization": f"Bearer {token}"}
    assert client.get("/api/v1/documents/", headers=headers).status_code == 401


def test_no_token_can_be_issued_for_a_superuser_by_somebody_who_is_none(client, adam):
    root = User.objects.create_superuser("root", password="root-password")
    client.force_login(adam)
    client.post("/admin/docintel/apitoken/add/", {"user": root.pk, "name": "mine"})
    assert not ApiToken.objects.exists()


def test_an_admin_cannot_make_a_superuser_or_touch_one(client, adam, bob):
    root = User.objects.create_superuser("root", password="root-password")
    client.force_login(adam)
    client.post(
        f"/admin/auth/user/{bob.pk}/change/",
        {"username": "bob", "is_superuser": "on", "is_active": "on", "date_joined_0": "2026-01-01",
         "date_joined_1": "00:00:00"},
    )  # fmt: skip
    bob.refresh_from_db()
    assert bob.is_superuser is False
    for tail in ("change/", "password/", "delete/", "history/"):
        assert client.get(f"/admin/auth/user/{root.pk}/{tail}").status_code in {302, 403, 404}
    new = {"password1": "new-password-9", "password2": "new-password-9", "usable_password": "true"}
    client.post(f"/admin/auth/user/{root.pk}/password/", new)
    root.refresh_from_db()
    assert root.check_password("root-password")


def test_somebody_who_may_manage_people_cannot_grant_what_they_lack(client, alice, bob):
    clerk = User.objects.create_user("clerk", is_staff=True)
    clerk.user_permissions.set(
        Permission.objects.filter(
            codename__in=["view_user", "change_user", "change_group", "view_group"]
        )
    )
    client.force_login(clerk)
    admins = Group.objects.get(name="admin")
    plain = User.objects.create_user("plain")
    client.post(
        f"/admin/auth/user/{plain.pk}/change/",
        {"username": "plain", "groups": [admins.pk], "is_active": "on",
         "date_joined_0": "2026-01-01", "date_joined_1": "00:00:00"},
    )  # fmt: skip
    assert not plain.groups.exists()
    assert client.get(f"/admin/auth/user/{alice.pk}/change/").status_code == 302
    assert client.get(f"/admin/auth/group/{admins.pk}/change/").status_code == 302


def test_an_operator_cannot_open_a_restricted_source_to_themselves(client, olga):
    secret, operators = Group.objects.create(name="deal team"), Group.objects.get(name="operator")
    vault = Source.objects.create(name="Vault", kind="folder")
    vault.groups.add(secret)
    shared = Source.objects.create(name="Shared", kind="folder")
    client.force_login(olga)
    assert b"Vault" not in client.get("/admin/ingestion/source/").content
    form = {"name": "X", "kind": "folder", "credibility": 0.5, "groups": [operators.pk]} | POLL
    for row in (vault, shared):
        client.post(f"/admin/ingestion/source/{row.pk}/change/", form)
    assert list(vault.groups.all()) == [secret]
    assert not shared.groups.exists()
    shared.refresh_from_db()
    assert shared.name == "X"


def test_an_admin_restricts_a_source(client, adam):
    group = Group.objects.create(name="deal team")
    row = Source.objects.create(name="Vault", kind="folder")
    client.force_login(adam)
    form = {"name": "Vault", "kind": "folder", "credibility": 0.5, "groups": [group.pk]} | POLL
    client.post(f"/admin/ingestion/source/{row.pk}/change/", form)
    assert list(row.groups.all()) == [group]


def test_nobody_schedules_code_by_form(client, adam):
    client.force_login(adam)
    form = {"func": "os.system", "args": "'true'", "schedule_type": "O", "repeats": 1}
    assert client.post("/admin/django_q/schedule/add/", form).status_code == 403


def test_documents_are_listed_and_shown_without_their_text(client, eve):
    source = Source.objects.create(name="Library", kind="folder")
    for n in range(20):
        Document.objects.create(source=source, file_name=f"{n}.txt", text=f"Body {n}")
    client.force_login(eve)
    row = Document.objects.latest("pk")
    for address in ("", "?state=received", f"{row.pk}/change/"):
        with CaptureQueriesContext(connection) as queries:
            page = client.get(f"/admin/ingestion/document/{address}")
        assert page.status_code == 200
        assert b"Body" not in page.content
        assert len(queries) < 25
        assert all('"ingestion_document"."text"' not in query["sql"] for query in queries)


def test_documents_are_not_written_in_the_admin(client, adam):
    source = Source.objects.create(name="Library", kind="folder")
    row = Document.objects.create(source=source, file_name="a.txt", title="A")
    client.force_login(adam)
    assert (
        client.post(f"/admin/ingestion/document/{row.pk}/change/", {"title": "B"}).status_code
        == 403
    )
    assert (
        client.post(f"/admin/ingestion/document/{row.pk}/delete/", {"post": "yes"}).status_code
        == 403
    )


def test_a_source_that_moved_is_asked_at_once_and_in_full(client, adam):
    row = Source.objects.create(
        name="Wire", kind="rss", location="http://a.example/", etag="1", failures=3,
        next_run_at=timezone.now(), last_error="It answered 500.",
    )  # fmt: skip
    client.force_login(adam)
    form = {"name": "Wire", "kind": "rss", "credibility": 0.5, "poll_minutes": 30, "active": "on"}
    form["location"] = "http://b.example/"
    client.post(f"/admin/ingestion/source/{row.pk}/change/", form)
    row.refresh_from_db()
    assert (row.location, row.etag, row.failures) == ("http://b.example/", "", 0)
    assert (row.next_run_at, row.last_error) == (None, "")
