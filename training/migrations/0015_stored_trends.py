import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("annotation", "0031_requests_for_more_votes"),
        ("training", "0014_stored_calibrations"),
    ]

    operations = [
        migrations.CreateModel(
            name="StoredTrend",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "state",
                    models.CharField(
                        choices=[("idle", "idle"), ("queued", "queued"), ("running", "running"), ("failed", "failed")],
                        default="idle",
                        max_length=7,
                    ),
                ),
                ("step", models.CharField(blank=True, help_text="What a worker does now.", max_length=40)),
                ("done", models.PositiveBigIntegerField(default=0, help_text="Of the present step.")),
                ("total", models.PositiveBigIntegerField(default=0, help_text="Of the present step.")),
                ("heartbeat_at", models.DateTimeField(blank=True, null=True)),
                ("message", models.TextField(blank=True, help_text="Why the last computation failed.")),
                ("figures", models.TextField(blank=True, help_text="JSON. Empty before the first computation.")),
                (
                    "inputs",
                    models.CharField(
                        blank=True, help_text="SHA-256 of what the figures were computed from.", max_length=64
                    ),
                ),
                ("fingerprint", models.CharField(blank=True, help_text="SHA-256 of the votes used.", max_length=64)),
                ("votes", models.PositiveIntegerField(default=0, help_text="Votes used.")),
                ("made_at", models.DateTimeField(blank=True, null=True)),
                ("seconds", models.FloatField(default=0.0, help_text="How long the computation took.")),
                (
                    "campaign",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="stored_trend",
                        to="annotation.campaign",
                    ),
                ),
            ],
            options={"abstract": False},
        ),
    ]
