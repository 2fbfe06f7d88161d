"""Bearer tokens: hashed, expiring, revocable, read-only unless told otherwise; shown once."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from docintel.models import ApiToken

LIST = "/api/v1/documents/"
pytestmark = pytest.mark.django_db


def bearer(user, **fields):
    row, token = ApiToken.issue(user, "test", **fields)
    return row, {"Authorization": f"Bearer {token}"}


def test_a_token_signs_its_owner_in(client, ian):
    row, headers = bearer(ian)
    assert client.get(LIST, headers=headers).status_code == 200
    row.refresh_from_db()
    assert row.last_used_at is not None


def test_only_its_digest_is_stored(ian):
    row, token = ApiToken.issue(ian, "test")
    stored = {str(value) for value in ApiToken.objects.filter(pk=row.pk).values().get().values()}
    assert token not in stored
    assert row.digest == ApiToken.digest_of(token)


def test_its_use_is_noted_at_most_once_a_minute(client, ian):
    row, headers = bearer(ian)
    recently = timezone.now() - timedelta(seconds=30)
    ApiToken.objects.filter(pk=row.pk).update(last_used_at=recently)
    client.get(LIST, headers=headers)
    row.refresh_from_db()
    assert row.last_used_at == recently
    ApiToken.objects.filter(pk=row.pk).update(last_used_at=recently - timedelta(minutes=1))
    client.get(LIST, headers=headers)
    row.refresh_from_db()
    assert row.last_used_at > recently


@pytest.mark.parametrize("header", ["Bearer", "Bearer a b", "Bearer dik_nothing", "Bearer \xff"])
def test_an_unknown_token_is_refused(client, header):
    response = client.get(LIST, headers={"Authorization": header})
    assert response.status_code == 401
    assert response["WWW-Authenticate"].startswith("Bearer")


def test_no_credentials_are_a_401_that_says_how(client):
    response = client.get(LIST)
    assert response.status_code == 401
    assert response["WWW-Authenticate"].startswith("Bearer")
    assert response["Content-Type"] == "application/json"


def test_expired_revoked_and_inactive_are_refused_alike(client, ian, alice):
    past = timezone.now() - timedelta(seconds=1)
    _, expired = bearer(ian, expires_at=past)
    _, revoked = bearer(ian, revoked_at=past)
    _, left = bearer(alice)
    alice.is_active = False
    alice.save()
    answers = [client.get(LIST, headers=headers) for headers in (expired, revoked, left)]
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.content for answer in answers}) == 1


def test_a_read_only_token_may_not_push_even_for_somebody_who_may(client, ian):
    _, headers = bearer(ian)
    response = client.post(
        LIST, {"title": "T", "text": "Words."}, content_type="application/json", headers=headers
    )
    assert response.status_code == 403
    assert "only read" in response.json()["detail"]


def test_a_writing_token_does_not_widen_what_its_owner_may(client, charlie):
    _, headers = bearer(charlie, may_write=True)
    assert client.get(LIST, headers=headers).status_code == 403


def test_a_session_pushes_only_with_its_csrf_token(ian):
    client = Client(enforce_csrf_checks=True)
    client.force_login(ian)
    response = client.post(LIST, {"title": "T", "text": "W"}, content_type="application/json")
    assert response.status_code == 403


def test_the_command_prints_a_token_once(client, ian):
    out, err = StringIO(), StringIO()
    call_command("issue_token", "ian", write=True, days=30, stdout=out, stderr=err)
    token = out.getvalue().strip()
    assert token.startswith(ApiToken.PREFIX)
    assert token not in err.getvalue()
    row = ApiToken.objects.get(user=ian)
    assert row.may_write
    assert row.expires_at > timezone.now() + timedelta(days=29)
    assert client.get(LIST, headers={"Authorization": f"Bearer {token}"}).status_code == 200


def test_the_command_refuses_who_is_not_there(db):
    with pytest.raises(CommandError, match="nobody"):
        call_command("issue_token", "nobody")


def test_too_many_requests_are_told_when_to_come_back(client, ian, monkeypatch):
    from django.core.cache import cache
    from rest_framework.throttling import UserRateThrottle

    cache.clear()
    monkeypatch.setattr(UserRateThrottle, "THROTTLE_RATES", {"user": "2/min"})
    _, headers = bearer(ian)
    answers = [client.get(LIST, headers=headers) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert int(answers[-1]["Retry-After"]) > 0
    cache.clear()


def test_eight_wrong_passwords_lock_without_telling_who_exists(client, alice):
    def attempts(name):
        return [client.post("/sign-in/", {"username": name, "password": "wrong"}) for _ in range(9)]

    known, unknown = attempts("alice"), attempts("nobody-of-this-name")
    assert [answer.status_code for answer in known] == [answer.status_code for answer in unknown]
    assert known[0].status_code == 200
    assert known[-1].status_code in {403, 429}
    assert b"alice" not in known[-1].content
    right = client.post("/sign-in/", {"username": "alice", "password": "alice-password"})
    assert right.status_code in {403, 429}
