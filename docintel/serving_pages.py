"""The ASGI handler of the role `web`: all middleware and the view of a request on one thread.

Django's own hops to a thread and back for each middleware, which took longer than a small page.
Trap: a middleware that only works asynchronously cannot be used here.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlparse

import django
from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.handlers.asgi import ASGIHandler
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from docintel.taking_turns import in_turn


class PageHandler(ASGIHandler):
    """Requests take turns, but for static files: those need neither a connection nor a while."""

    def load_middleware(self, is_async: bool = False) -> None:  # noqa: ARG002  Django's
        super().load_middleware(is_async=False)
        self._at_once = sync_to_async(self.get_response, thread_sensitive=True)
        self._in_turn = in_turn(self._at_once)
        self._static = f"/{urlparse(settings.STATIC_URL).path.lstrip('/')}"

    async def get_response_async(self, request: HttpRequest) -> HttpResponseBase:
        is_static = request.path_info.startswith(self._static)
        response: HttpResponseBase = await (self._at_once if is_static else self._in_turn)(request)
        return response


def get_page_application() -> Any:
    """As Django's `get_asgi_application`."""
    django.setup(set_prefix=False)
    return PageHandler()
