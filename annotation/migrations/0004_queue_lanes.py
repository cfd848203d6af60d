import django.db.models.deletion
from django.db import migrations, models

import annotation.models


class Migration(migrations.Migration):
    dependencies = [
        ("annotation", "0003_skips_are_counted_by_an_index"),
    ]

    operations = [
        migrations.AddField(
            model_name="campaign",
            name="lane_shares",
            field=models.JSONField(
                default=annotation.models.default_lane_shares,
                help_text="Share of each queue lane among the rated photos: {lane: share}; the shares add up to 1.",
                verbose_name="queue lanes",
            ),
        ),
        migrations.RenameField(model_name="assignment", old_name="acquisition", new_name="lane"),
        migrations.AlterField(
            model_name="assignment",
            name="lane",
            field=models.CharField(
                default="random", help_text="Which lane of the queue chose the photo.", max_length=40
            ),
        ),
        migrations.AddField(
            model_name="assignment",
            name="reason",
            field=models.CharField(
                blank=True, default="", help_text="Why the lane chose it, for people.", max_length=200
            ),
            preserve_default=False,
        ),
        migrations.AlterField(
            model_name="assignment",
            name="acquisition_probability",
            field=models.FloatField(
                blank=True,
                help_text="With which the draw had to give this photo to this annotator; empty where nothing was drawn.",
                null=True,
            ),
        ),
        migrations.CreateModel(
            name="QueueLane",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=40)),
                ("refreshed_at", models.DateTimeField(blank=True, null=True)),
                ("seconds", models.FloatField(default=0.0, help_text="What the last refresh took.")),
                ("photos", models.PositiveIntegerField(default=0, help_text="Photos that were given a priority.")),
                (
                    "seed",
                    models.PositiveBigIntegerField(default=0, help_text="Of the random numbers of the last refresh."),
                ),
                (
                    "fingerprint",
                    models.CharField(
                        blank=True, help_text="SHA-256 of what the priorities were made of.", max_length=64
                    ),
                ),
                (
                    "campaign",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="queue_lanes",
                        to="annotation.campaign",
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("campaign", "name"), name="queue_lane_once")],
            },
        ),
        migrations.CreateModel(
            name="QueuePriority",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("priority", models.FloatField(help_text="Higher comes first.")),
                (
                    "image",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="priorities",
                        to="annotation.image",
                    ),
                ),
                (
                    "lane",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="priorities",
                        to="annotation.queuelane",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["lane", "-priority"], name="priority_order")],
                "constraints": [models.UniqueConstraint(fields=("image", "lane"), name="priority_once")],
            },
        ),
        # Claims delete rows at the head of the order, and until a vacuum each claim walks over what was deleted there.
        # The default waits for a fifth of the table.
        migrations.RunSQL(
            "ALTER TABLE annotation_queuepriority SET (autovacuum_vacuum_scale_factor = 0, "
            "autovacuum_vacuum_threshold = 2000, autovacuum_analyze_scale_factor = 0.2)",
            migrations.RunSQL.noop,
        ),
    ]
