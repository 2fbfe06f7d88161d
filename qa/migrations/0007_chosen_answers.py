"""An answer's mode may say that a model chose which sentence comes first; no column changes."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("qa", "0006_experiment_outcomes")]

    operations = [
        migrations.AlterField(
            model_name="ask",
            name="mode",
            field=models.CharField(
                blank=True, help_text="model, chosen or extractive", max_length=12
            ),
        ),
    ]
