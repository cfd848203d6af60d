"""Decisions of reviewers about annotators."""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("annotation", "0015_blind_answers"),
    ]

    operations = [
        migrations.CreateModel(
            name="ScreeningDecision",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "decision",
                    models.CharField(
                        choices=[
                            ("keep", "keep: the votes count fully"),
                            ("exclude", "exclude: the votes count for nothing"),
                            ("reread", "ask to read the instructions again"),
                        ],
                        max_length=7,
                    ),
                ),
                ("reason", models.CharField(max_length=500)),
                ("decided_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "undone_at",
                    models.DateTimeField(blank=True, help_text="Set by 'Undo', and by a later decision.", null=True),
                ),
                (
                    "read_at",
                    models.DateTimeField(
                        blank=True, help_text="When the annotator confirmed the request to read.", null=True
                    ),
                ),
                (
                    "annotator",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="screening_decisions",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "campaign",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="screening_decisions",
                        to="annotation.campaign",
                    ),
                ),
                (
                    "decided_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "undone_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("undone_at", None), models.Q(("decision", "reread"), _negated=True)),
                        fields=("campaign", "annotator"),
                        name="screening_votes_once",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("decision", "reread"), ("undone_at", None)),
                        fields=("campaign", "annotator"),
                        name="screening_reread_once",
                    ),
                ],
            },
        ),
    ]
