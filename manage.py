#!/usr/bin/env python
"""Django's command line; the embedded Postgres is started for commands that need a database."""

from __future__ import annotations

import os
import sys

# These either need no database or start it themselves, in their own order.
WITHOUT_DATABASE = {
    "help",
    "version",
    "serve",
    "demo",
    "doctor",
    "clean_data",
    "collectstatic",
    "makemessages",
}


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "docintel.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    from docintel import postgres

    try:
        if len(sys.argv) > 1 and sys.argv[1] not in WITHOUT_DATABASE:
            postgres.ensure()
        execute_from_command_line(sys.argv)
    except (postgres.PostgresUnavailable, ImproperlyConfigured) as error:
        sys.exit(f"docintel: {error}")


if __name__ == "__main__":
    main()
