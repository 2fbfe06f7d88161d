"""`manage.py clean_data`: remove what was ingested, to start over."""

from __future__ import annotations

import shutil
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from docintel import postgres
from docintel.holding import is_served

# The unpacked weights stay: they are no data, and take a while to verify.
FOLDERS = ("postgres", "files", "cache", "sample", "static", "logs", "secrets")


class Command(BaseCommand):
    help = "Remove the embedded database, the stored files, their page images and the logs."
    requires_system_checks = ()

    def handle(self, *_: Any, **__: Any) -> None:
        if is_served():
            sys.exit(f"docintel: it is running on {settings.VAR_DIR}; stop it first (Ctrl-C)")
        postgres.stop_unheld(settings.VAR_DIR)
        if (postgres.data_folder(settings.VAR_DIR) / "postmaster.pid").exists():
            sys.exit("docintel: another program uses the database; end it first")
        for name in FOLDERS:
            folder = settings.VAR_DIR / name
            if folder.is_dir():
                shutil.rmtree(folder)
                self.stdout.write(f"removed {folder}")
