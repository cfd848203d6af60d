import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("annotation", "0001_initial"),
        ("training", "0003_evaluation_settings"),
    ]

    operations = [
        migrations.CreateModel(
            name="EvaluationRequest",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("requested_at", models.DateTimeField()),
                (
                    "claimed_at",
                    models.DateTimeField(blank=True, help_text="Last sign of the worker that evaluates.", null=True),
                ),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("message", models.TextField(blank=True, help_text="Why the last attempt failed.")),
                (
                    "campaign",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="evaluation_request",
                        to="annotation.campaign",
                    ),
                ),
            ],
        ),
    ]
