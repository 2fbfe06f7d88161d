"""Versions get a number, a state and their files; who flipped what is kept for good."""

from __future__ import annotations

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

# With fewer held-out documents no classifier of topics ever went live.
LEAST_HELD_OUT = 20

APPEND_ONLY = """
CREATE FUNCTION docintel_modelflip_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the history of live models is append-only';
END $$;
CREATE TRIGGER docintel_modelflip_append_only BEFORE UPDATE OR DELETE ON docintel_modelflip
FOR EACH ROW EXECUTE FUNCTION docintel_modelflip_is_append_only();
"""
NOT_APPEND_ONLY = """
DROP TRIGGER docintel_modelflip_append_only ON docintel_modelflip;
DROP FUNCTION docintel_modelflip_is_append_only();
"""


def fill(apps, schema_editor):
    version_table = apps.get_model("docintel", "ModelVersion")
    flip_table = apps.get_model("docintel", "ModelFlip")
    numbers = {}
    for row in version_table.objects.order_by("created_at", "pk"):
        numbers[row.name] = row.number = numbers.get(row.name, 0) + 1
        row.kind = row.name.partition(":")[0]
        metrics = row.metadata.get("metrics")
        row.metrics = metrics if isinstance(metrics, dict) else {}
        row.state = "live" if row.live else "retired" if _was_live(row) else "candidate"
        row.save()
        if row.live:
            flip_table.objects.create(
                name=row.name, action="promoted", version=row, to_version=row, at=row.created_at,
                why="live before the history began",
            )


def _was_live(row):
    """Every version was made live when it was registered, but a worse classifier of topics."""
    if row.name != "topics":
        return True
    found = row.metadata.get("metrics") or {}
    better = found.get("macro_f1", 0) > found.get("default_macro_f1", 0)
    return better and found.get("held_out_documents", 0) >= LEAST_HELD_OUT


def unfill(apps, schema_editor):
    apps.get_model("docintel", "ModelVersion").objects.filter(state="live").update(live=True)


class Migration(migrations.Migration):
    dependencies = [("docintel", "0002_initial")]

    operations = [
        migrations.AddField("modelversion", "kind", models.CharField(default="", help_text="embedder, tagger, router, …", max_length=40), preserve_default=False),
        migrations.AddField("modelversion", "number", models.PositiveIntegerField(null=True, help_text="counts up within the name")),
        migrations.AddField("modelversion", "state", models.CharField(choices=[("candidate", "Candidate"), ("live", "Live"), ("retired", "Retired"), ("rejected", "Rejected")], default="candidate", max_length=10)),
        migrations.AddField("modelversion", "files", models.JSONField(blank=True, default=dict)),
        migrations.AddField("modelversion", "base_encoder", models.CharField(blank=True, default="", max_length=200), preserve_default=False),
        migrations.AddField("modelversion", "base_digest", models.CharField(blank=True, default="", max_length=64), preserve_default=False),
        migrations.AddField("modelversion", "snapshot_hash", models.CharField(blank=True, default="", help_text="SHA-256 of the examples it learned from", max_length=64), preserve_default=False),
        migrations.AddField("modelversion", "metrics", models.JSONField(blank=True, default=dict)),
        migrations.AddField("modelversion", "card", models.TextField(blank=True, default="", help_text="what it is, what it learned from, its limits"), preserve_default=False),
        migrations.AddField("modelversion", "created_by", models.CharField(blank=True, default="", help_text="which run, or what else", max_length=200), preserve_default=False),
        migrations.AlterField("modelversion", "name", models.CharField(help_text="what it serves as: its kind, with what it is for after a colon", max_length=80)),
        migrations.AlterField("modelversion", "version", models.CharField(help_text="what people call it", max_length=120)),
        migrations.AlterField("modelversion", "digest", models.CharField(help_text="SHA-256 of all that decides what it gives", max_length=64)),
        migrations.AlterField("modelversion", "created_at", models.DateTimeField(default=django.utils.timezone.now)),
        migrations.CreateModel(
            name="ModelFlip",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=80)),
                ("action", models.CharField(choices=[("promoted", "Promoted"), ("rolled back", "Rolled Back"), ("retired", "Retired"), ("rejected", "Rejected")], max_length=12)),
                ("who", models.CharField(blank=True, help_text="a person, or what acted by itself", max_length=200)),
                ("why", models.TextField(blank=True)),
                ("at", models.DateTimeField(default=django.utils.timezone.now)),
                ("version", models.ForeignKey(help_text="what was acted on", on_delete=django.db.models.deletion.PROTECT, related_name="flips", to="docintel.modelversion")),
                ("from_version", models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="docintel.modelversion")),
                ("to_version", models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="docintel.modelversion")),
            ],
            options={"ordering": ["-pk"], "indexes": [models.Index(fields=["name", "-id"], name="docintel_mo_name_6b157b_idx")]},
        ),
        migrations.RunPython(fill, unfill),
        # Foreign keys are checked at the end of a transaction, and until then block its DDL.
        migrations.RunSQL("SET CONSTRAINTS ALL IMMEDIATE", "SET CONSTRAINTS ALL IMMEDIATE"),
        migrations.RemoveConstraint("modelversion", "one_live_version_per_name"),
        migrations.RemoveField("modelversion", "live"),
        migrations.AlterField("modelversion", "number", models.PositiveIntegerField(help_text="counts up within the name")),
        migrations.AlterModelOptions("modelversion", {"ordering": ["name", "-number"], "permissions": [("flip_modelversion", "Can make versions of models live and roll back")]}),
        migrations.AddConstraint("modelversion", models.UniqueConstraint(fields=["name", "number"], name="model_number_once")),
        migrations.AddConstraint("modelversion", models.UniqueConstraint(condition=models.Q(("state", "live")), fields=["name"], name="one_live_version_per_name")),
        migrations.RunSQL(APPEND_ONLY, NOT_APPEND_ONLY),
    ]
