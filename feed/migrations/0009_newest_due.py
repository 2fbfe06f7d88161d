"""Whether a page has to rank the newest documents anew before it comes."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("feed", "0008_facts_at")]
    operations = [
        migrations.AddField(
            "feedprofile",
            "newest_due",
            models.BooleanField(
                default=False, help_text="they are ranked anew before the next page comes"
            ),
        )
    ]
