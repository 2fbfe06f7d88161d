"""While the database does not answer, pages and API say so by a 503, without a word of why."""

from __future__ import annotations

from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.db import OperationalError
from django.test import AsyncClient, Client

from ingestion import api, views

DOWN = OperationalError("connection refused by host secret-name")


@pytest.fixture
def away(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_user: Any) -> None:
        raise DOWN

    monkeypatch.setattr(views, "arrivals", refuse)
    monkeypatch.setattr(api, "arrivals", refuse)


@pytest.mark.usefixtures("away")
def test_a_page_says_that_it_will_be_back(admin_client: Client) -> None:
    admin_client.raise_request_exception = False
    response = admin_client.get("/documents/")
    assert response.status_code == 503
    assert response.headers["Retry-After"]
    assert b"Back in a moment" in response.content
    assert b"secret-name" not in response.content


@pytest.mark.usefixtures("away")
def test_the_api_says_it_in_json(admin_client: Client) -> None:
    admin_client.raise_request_exception = False
    response = admin_client.get("/api/v1/documents/")
    assert response.status_code == 503
    assert response.json() == {"detail": "The database does not answer; try again in a moment."}


@pytest.mark.usefixtures("away")
def test_it_does_so_as_it_is_served(admin_user: Any) -> None:
    # The error reaches the handler through another thread.
    client = AsyncClient(raise_request_exception=False)
    client.force_login(admin_user)
    response = async_to_sync(client.get)("/documents/")
    assert response.status_code == 503
