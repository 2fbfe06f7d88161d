"""The operator's health page, the word that a load balancer asks for, and a closed door."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required, permission_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from docintel.doctor import collect


@require_safe
@permission_required("ingestion.operate_pipeline", raise_exception=True)
@never_cache
def health(request: HttpRequest) -> HttpResponse:
    """Every finding of the doctor, those that need a hand first."""
    findings = sorted(collect(), key=lambda finding: finding.ok)
    failing = sum(1 for finding in findings if not finding.ok)
    return render(request, "docintel/health.html", {"findings": findings, "failing": failing})


@login_not_required
@require_safe
@never_cache
def healthz(_: HttpRequest) -> HttpResponse:
    """`ok`, for anyone: this process answers. It asks nothing of the database."""
    return HttpResponse("ok\n", content_type="text/plain")


def closed(_: HttpRequest, anything: str) -> HttpResponse:
    """A route of a library that must not be there."""
    raise Http404(anything)
