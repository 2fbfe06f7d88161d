"""The ASGI application of the roles `web` and `inference`; DOCINTEL_ROLE says which."""

from __future__ import annotations

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "docintel.settings")

from django.core.asgi import get_asgi_application

from docintel import postgres

postgres.ensure()
application = get_asgi_application()
