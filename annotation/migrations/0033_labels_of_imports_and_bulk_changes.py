"""Tables of labels come with photos, and many photos can be deleted or moved at once."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("annotation", "0032_gallery")]

    operations = [
        migrations.AddField(
            "voteimport",
            "batch",
            models.ForeignKey(
                blank=True,
                help_text="The import of photos that brought the file.",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="label_imports",
                to="annotation.importbatch",
            ),
        ),
        migrations.CreateModel(
            "PhotoChange",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(choices=[("delete", "delete"), ("move", "move")], max_length=6)),
                (
                    "state",
                    models.CharField(
                        choices=[("queued", "queued"), ("running", "running"), ("done", "done"), ("failed", "failed")],
                        default="queued",
                        max_length=7,
                    ),
                ),
                (
                    "image_ids",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), default=list, help_text="Or these photos.", size=None
                    ),
                ),
                ("reason", models.CharField(blank=True, help_text="Why photos are withdrawn.", max_length=300)),
                ("step", models.CharField(blank=True, help_text="What it does now.", max_length=60)),
                ("done", models.PositiveIntegerField(default=0)),
                ("total", models.PositiveIntegerField(default=0)),
                ("deleted", models.PositiveIntegerField(default=0)),
                ("withdrawn", models.PositiveIntegerField(default=0)),
                ("moved", models.PositiveIntegerField(default=0)),
                ("left", models.PositiveIntegerField(default=0, help_text="Photos that stay as they were.")),
                ("message", models.TextField(blank=True, help_text="Why it failed.")),
                ("heartbeat_at", models.DateTimeField(null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("finished_at", models.DateTimeField(null=True)),
                (
                    "batch",
                    models.ForeignKey(
                        help_text="All photos of this import.",
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="photo_changes",
                        to="annotation.importbatch",
                    ),
                ),
                (
                    "campaign",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="photo_changes",
                        to="annotation.campaign",
                    ),
                ),
                (
                    "created_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "target",
                    models.ForeignKey(
                        help_text="Where they move to.",
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="annotation.campaign",
                    ),
                ),
            ],
            options={"ordering": ["-id"]},
        ),
    ]
