"""The doctor: each check in words, and an exit that says whether all is well."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import OperationalError
from django.test import Client
from django.urls import reverse
from django_q.models import OrmQ

from docintel import doctor, health
from docintel.doctor import Finding, collect

ROOT = Path(__file__).resolve().parent.parent


def report() -> tuple[str, int]:
    output = StringIO()
    try:
        call_command("doctor", stdout=output, no_color=True)
    except SystemExit as end:
        return output.getvalue(), int(end.code or 0)
    return output.getvalue(), 0


@pytest.mark.django_db
def test_it_finds_what_is_right_and_says_what_to_do_about_the_rest() -> None:
    text, code = report()
    assert code == 1
    assert "✔ Postgres: 18" in text
    assert "✔ Extensions: vector" in text
    assert "✔ Tables: all migrations applied" in text
    assert "✘ Queue: no worker runs" in text
    assert "✘ Inference: not running\n    start it with: make serve" in text


@pytest.mark.django_db
def test_it_exits_with_0_when_all_is_well(monkeypatch: pytest.MonkeyPatch) -> None:
    from docintel.management.commands import doctor as command

    monkeypatch.setattr(command, "collect", lambda: iter([Finding("Moon", True, "full")]))
    assert report() == ("✔ Moon: full\n", 0)


@pytest.mark.django_db
def test_a_part_of_the_schema_that_is_missing_is_said() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'sessions'")
    assert health.migrations().ok is False
    assert "1 migrations to apply" in health.migrations().message


def test_a_check_that_breaks_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> Iterator[Finding]:
        yield Finding("First", True, "fine")
        raise OperationalError("the server went away\nand more")

    monkeypatch.setattr(health, "findings", broken)
    found = [finding for finding in collect() if finding.name in ("First", "docintel checks")]
    assert [finding.ok for finding in found] == [True, False]
    assert found[1].message == "the database did not answer: the server went away"


@pytest.mark.django_db
def test_little_free_disk_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    usage = SimpleNamespace(free=10**9)
    monkeypatch.setattr(health.shutil, "disk_usage", lambda _: usage)
    assert health.free_disk().ok is False
    assert health.free_disk().message.startswith("1.0 GB")


def test_an_inference_role_elsewhere_may_be_misnamed(settings: object) -> None:
    settings.INFERENCE_URL = "http://127.0.0.1:9"
    finding = health.inference()
    assert not finding.ok
    assert "http://127.0.0.1:9 does not answer" in finding.message
    assert "correct INFERENCE_URL" in finding.hint


def test_an_llm_endpoint_is_optional_until_it_is_set(settings: object) -> None:
    settings.OPENAI_BASE_URL = ""
    assert health.llm_endpoint().ok
    settings.OPENAI_BASE_URL = "http://127.0.0.1:9/v1"
    assert not health.llm_endpoint().ok
    assert "http://127.0.0.1:9/v1 does not answer" in health.llm_endpoint().message


def test_weights_that_are_not_there_are_said(settings: object) -> None:
    settings.EMBEDDING_MODEL = "/nowhere/at/all"
    assert not health.model_weights().ok


def test_without_a_database_it_still_reports() -> None:
    result = subprocess.run(
        [sys.executable, "manage.py", "doctor", "--no-color"],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": "postgresql://nobody@127.0.0.1:9/none"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1
    assert "✔ Python" in result.stdout
    assert "✘ Database: does not answer" in result.stdout
    assert "LLM endpoint" in result.stdout
    assert "Traceback" not in result.stdout + result.stderr


@pytest.mark.django_db
def test_the_health_page_is_the_operators(client: Client, olga: User, alice: User) -> None:
    client.force_login(alice)
    assert client.get(reverse("health")).status_code == 403
    client.force_login(olga)
    page = client.get(reverse("health"))
    assert page.status_code == 200
    assert "no worker runs" in page.content.decode()
    assert not OrmQ.objects.exists()


@pytest.mark.django_db
def test_a_load_balancer_is_told_ok_and_nothing_else(client: Client) -> None:
    response = client.get("/healthz")
    assert (response.status_code, response.content) == (200, b"ok\n")


def test_an_error_without_words_has_a_first_line() -> None:
    assert doctor.first_line(ValueError()) == "ValueError"
    assert doctor.first_line(ValueError("one.\ntwo")) == "one"
