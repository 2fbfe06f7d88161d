"""Every app's urls, included by name so that `docintel` imports no app."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth import views as accounts
from django.urls import include, path

from docintel import health_views

urlpatterns = [
    path("", include("qa.urls")),
    path("", include("ingestion.urls")),
    path("", include("extraction.urls")),
    path("", include("feed.urls")),
    path("api/v1/", include("ingestion.api_urls")),
    path("api/v1/", include("extraction.api_urls")),
    path("api/v1/", include("qa.api_urls")),
    path("api/v1/", include("feed.api_urls")),
    path("sign-in/", accounts.LoginView.as_view(redirect_authenticated_user=True), name="login"),
    path("sign-out/", accounts.LogoutView.as_view(), name="logout"),
    path("health/", health_views.health, name="health"),
    path("healthz", health_views.healthz, name="healthz"),
    # The admin's way from any row id to its page asks nobody's permission: closed.
    path("admin/r/<path:anything>", health_views.closed, name="closed"),
    path("admin/", admin.site.urls),
]

# Under /api/ errors are JSON; pages keep their templates.
handler400 = "docintel.api_errors.bad_request"
handler404 = "docintel.api_errors.not_found"
handler500 = "docintel.api_errors.failed"
