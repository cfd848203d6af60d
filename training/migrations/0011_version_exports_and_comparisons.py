"""Exports of versions for other programs, and comparisons of two versions."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("annotation", "0027_near_duplicates"),
        ("inference", "0010_notes_and_deleted_files"),
        ("training", "0010_drift_checks"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="VersionExport",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("requested_at", models.DateTimeField()),
                (
                    "claimed_at",
                    models.DateTimeField(blank=True, help_text="Last sign of the worker that makes it.", null=True),
                ),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("progress", models.FloatField(default=0.0, help_text="0 … 1")),
                ("stage", models.CharField(blank=True, help_text="What the worker is doing now.", max_length=120)),
                ("message", models.TextField(blank=True, help_text="Why it failed.")),
                ("made_at", models.DateTimeField(blank=True, help_text="When it was finished.", null=True)),
                ("byte_size", models.PositiveBigIntegerField(default=0)),
                ("checksum", models.CharField(blank=True, help_text="SHA-256 of the zip.", max_length=64)),
                (
                    "requested_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "version",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="export", to="inference.modelversion"
                    ),
                ),
            ],
            options={
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="VersionComparison",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("requested_at", models.DateTimeField()),
                (
                    "claimed_at",
                    models.DateTimeField(blank=True, help_text="Last sign of the worker that makes it.", null=True),
                ),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("progress", models.FloatField(default=0.0, help_text="0 … 1")),
                ("stage", models.CharField(blank=True, help_text="What the worker is doing now.", max_length=120)),
                ("message", models.TextField(blank=True, help_text="Why it failed.")),
                ("made_at", models.DateTimeField(blank=True, help_text="When it was finished.", null=True)),
                (
                    "result",
                    models.JSONField(
                        blank=True, default=dict, help_text="The fields of training.evaluation.version_pair."
                    ),
                ),
                (
                    "campaign",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="version_comparisons",
                        to="annotation.campaign",
                    ),
                ),
                (
                    "first",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="inference.modelversion"
                    ),
                ),
                (
                    "requested_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "second",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="inference.modelversion"
                    ),
                ),
            ],
            options={
                "ordering": ["-requested_at"],
                "constraints": [models.UniqueConstraint(fields=("first", "second"), name="one_comparison_of_a_pair")],
            },
        ),
    ]
