"""What the kernel can say of this installation; each check is one finding."""

from __future__ import annotations

import platform
import shutil
import sys
from collections.abc import Callable, Iterator

import httpx
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import Error as DatabaseError
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django_q.models import OrmQ
from django_q.status import Stat

from docintel import weights
from docintel.doctor import Finding, first_line
from docintel.holding import read_state
from docintel.postgres import FREE_BYTES_NEEDED

OLDEST_PYTHON = (3, 11)
OLDEST_POSTGRES = 17
EXTENSIONS = ("vector", "pg_textsearch")
ANSWER_SECONDS = 3.0
START = "start it with: make serve"


def findings() -> Iterator[Finding]:
    """Python, weights, disk, database, queue, inference and LLM endpoint, in this order."""
    yield python_version()
    yield model_weights()
    yield free_disk()
    checks: tuple[Callable[[], Finding], ...] = (postgres_version, extensions, migrations, queue)
    for check in checks:
        try:
            yield check()
        except DatabaseError as error:
            yield Finding("Database", False, f"does not answer: {first_line(error)}", START)
            break
    yield inference()
    yield llm_endpoint()


def python_version() -> Finding:
    return Finding(
        "Python",
        sys.version_info >= OLDEST_PYTHON,
        platform.python_version(),
        "install Python 3.11 or newer, remove .venv, and run make again",
    )


def model_weights() -> Finding:
    """Their SHA-256 against the pinned one; unpacks them if that was not yet done."""
    name = settings.EMBEDDING_MODEL
    try:
        digest, _dimensions = weights.identity(name)
        if settings.ROLE.may_load_models:
            weights.folder(name)
    except weights.WeightsUnavailable as error:
        return Finding("Weights", False, str(error), weights.INSTALL)
    return Finding("Weights", True, f"{name}, SHA-256 {digest[:12]}…")


def free_disk() -> Finding:
    free = shutil.disk_usage(settings.VAR_DIR).free
    return Finding(
        "Free disk",
        free > 4 * FREE_BYTES_NEEDED,
        f"{free / 1e9:.1f} GB under {settings.VAR_DIR}",
        "free some space, or point DOCINTEL_VAR at a larger disk",
    )


def postgres_version() -> Finding:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version_num')::int")
        version = cursor.fetchone()[0]
    return Finding(
        "Postgres",
        version >= OLDEST_POSTGRES * 10_000,
        f"{version // 10_000}.{version % 10_000}",
        f"use PostgreSQL {OLDEST_POSTGRES} or newer, or unset DATABASE_URL for the embedded one",
    )


def extensions() -> Finding:
    with connection.cursor() as cursor:
        cursor.execute("SELECT extname, extversion FROM pg_extension")
        installed = dict(cursor.fetchall())
    missing = [name for name in EXTENSIONS if name not in installed]
    if missing:
        hint = "run: python manage.py migrate (a server of your own must offer them)"
        return Finding("Extensions", False, f"missing: {', '.join(missing)}", hint)
    return Finding("Extensions", True, ", ".join(f"{n} {installed[n]}" for n in EXTENSIONS))


def migrations() -> Finding:
    executor = MigrationExecutor(connection)
    pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
    message = f"{len(pending)} migrations to apply" if pending else "all migrations applied"
    return Finding("Tables", not pending, message, "run: python manage.py migrate")


def queue() -> Finding:
    """Whether a queue has reported within its last three seconds."""
    waiting = OrmQ.objects.count()
    try:
        clusters = Stat.get_all()
    except (DatabaseError, ImproperlyConfigured):
        clusters = []
    if not clusters:
        return Finding("Queue", False, f"no worker runs; {waiting} tasks on the queue", START)
    workers = sum(len(cluster.workers) for cluster in clusters)
    return Finding("Queue", True, f"{workers} workers, {waiting} tasks on the queue")


def inference() -> Finding:
    """The inference role, where INFERENCE_URL or a running `serve` on this machine says it is."""
    url = settings.INFERENCE_URL or str(read_state().get("inference_url") or "")
    if not url:
        return Finding("Inference", False, "not running", START)
    try:
        response = httpx.get(f"{url.rstrip('/')}/health", timeout=ANSWER_SECONDS)
    except httpx.HTTPError as error:
        hint = f"{START}; where it runs elsewhere, correct INFERENCE_URL"
        return Finding("Inference", False, f"{url} does not answer: {first_line(error)}", hint)
    if response.is_success:
        return Finding("Inference", True, f"{url} answers")
    return Finding(
        "Inference", False, f"{url} answers {response.status_code}", "see var/logs/inference.log"
    )


def llm_endpoint() -> Finding:
    """Configured is optional; configured and silent is not."""
    url = settings.OPENAI_BASE_URL
    if not url:
        return Finding("LLM endpoint", True, "none set (OPENAI_BASE_URL); search works without")
    headers = {"Authorization": f"Bearer {settings.OPENAI_API_KEY}"}
    hint = "check OPENAI_BASE_URL and OPENAI_API_KEY"
    try:
        response = httpx.get(f"{url.rstrip('/')}/models", headers=headers, timeout=ANSWER_SECONDS)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        message = f"{url} does not answer: {first_line(error)}"
        return Finding("LLM endpoint", False, message, hint)
    if response.is_success:
        return Finding("LLM endpoint", True, f"{url} answers")
    return Finding("LLM endpoint", False, f"{url} answers {response.status_code}", hint)
