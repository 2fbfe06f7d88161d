"""Outcomes of the experiment become rows, so that a question can have several."""

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

KINDS = {"composed anyway": "composed", "used": "used", "up": "up", "down": "down"}


def copy(apps, _schema_editor):
    exposures = apps.get_model("qa", "ExperimentExposure")
    outcomes = apps.get_model("qa", "ExperimentOutcome")
    outcomes.objects.bulk_create(
        outcomes(
            exposure_id=row.pk, kind=KINDS[row.outcome], created_at=row.outcome_at or row.created_at
        )
        for row in exposures.objects.filter(outcome__in=KINDS)
    )


class Migration(migrations.Migration):
    dependencies = [("qa", "0005_feedback")]

    operations = [
        migrations.CreateModel(
            name="ExperimentOutcome",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False,
                                           verbose_name="ID")),
                ("kind", models.CharField(
                    choices=[("used", "Used"), ("up", "Helpful"), ("down", "Not helpful"),
                             ("opened", "Opened a passage"), ("composed", "Had it composed"),
                             ("followed", "Asked about it again")],
                    max_length=10)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("exposure", models.ForeignKey(
                    on_delete=django.db.models.deletion.CASCADE, related_name="outcomes",
                    to="qa.experimentexposure")),
            ],
            options={
                "ordering": ["created_at", "id"],
                "constraints": [
                    models.UniqueConstraint(fields=("exposure", "kind"),
                                            name="experiment_outcome_once")
                ],
            },
        ),
        migrations.RunPython(copy, migrations.RunPython.noop),
        migrations.RemoveField(model_name="experimentexposure", name="outcome"),
        migrations.RemoveField(model_name="experimentexposure", name="outcome_at"),
    ]
