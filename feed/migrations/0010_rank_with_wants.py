"""What was ranked without what is wanted is ranked anew for everybody."""

from __future__ import annotations

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def rank_anew(apps: Apps, _editor: BaseDatabaseSchemaEditor) -> None:
    apps.get_model("feed", "FeedProfile").objects.update(ranked_for=None)


class Migration(migrations.Migration):
    dependencies = [("feed", "0009_newest_due")]
    operations = [migrations.RunPython(rank_anew, migrations.RunPython.noop)]
