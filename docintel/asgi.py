"""The ASGI application of the roles `web` and `inference`; DOCINTEL_ROLE says which."""

from __future__ import annotations

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "docintel.settings")

from django.conf import settings
from django.core.asgi import get_asgi_application

from docintel import postgres
from docintel.roles import Role
from docintel.serving_pages import get_page_application

# The inference role keeps nothing in the database, so it may run on a machine without one.
if settings.ROLE is not Role.INFERENCE:
    postgres.ensure()
application = get_asgi_application() if settings.ROLE is Role.INFERENCE else get_page_application()
if settings.ROLE is Role.INFERENCE:
    # After Django's set-up, because it needs the tables' classes.
    from docintel.inference.serving import server

    server().start()
