import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("annotation", "0019_adjudications"),
    ]

    operations = [
        migrations.CreateModel(
            name="AggregatedVotes",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(help_text="Name of the photo in the file.", max_length=500)),
                (
                    "counts",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.PositiveIntegerField(),
                        blank=True,
                        help_text="Votes for each score, lowest first.",
                        null=True,
                        size=None,
                    ),
                ),
                (
                    "votes",
                    models.PositiveIntegerField(blank=True, help_text="Empty if the file does not say it.", null=True),
                ),
                ("mos", models.FloatField(help_text="Mean of the votes.")),
                (
                    "sos",
                    models.FloatField(
                        blank=True,
                        help_text="Standard deviation of the votes over n − 1. Empty if it is not known.",
                        null=True,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ImportedAnnotator",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(help_text="As in the file.", max_length=500)),
            ],
        ),
        migrations.CreateModel(
            name="VoteImport",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "state",
                    models.CharField(
                        choices=[("queued", "queued"), ("running", "running"), ("done", "done"), ("failed", "failed")],
                        default="queued",
                        max_length=7,
                    ),
                ),
                ("format", models.CharField(help_text="Name of the exchange format.", max_length=30)),
                ("source", models.CharField(help_text="Name of the file.", max_length=500)),
                (
                    "sha256",
                    models.CharField(
                        blank=True, help_text="Of the file's bytes. Empty until its rows are stored.", max_length=64
                    ),
                ),
                ("scale_min", models.PositiveSmallIntegerField(help_text="Lowest score of the file.")),
                ("scale_max", models.PositiveSmallIntegerField(help_text="Highest score of the file.")),
                ("is_simulated", models.BooleanField(default=False, help_text="Programs gave the votes, not people.")),
                (
                    "leaves_out_unknown",
                    models.BooleanField(
                        default=False,
                        help_text="Votes on photos that the campaign does not have are left out. Otherwise they stop it.",
                    ),
                ),
                ("step", models.CharField(blank=True, help_text="What it does now.", max_length=40)),
                ("done", models.PositiveBigIntegerField(default=0, help_text="Of the present step.")),
                ("total", models.PositiveBigIntegerField(default=0, help_text="Of the present step.")),
                ("rows", models.PositiveIntegerField(default=0, help_text="Rows that were stored.")),
                ("photos", models.PositiveIntegerField(default=0, help_text="Photos with these rows.")),
                (
                    "annotators",
                    models.PositiveIntegerField(default=0, help_text="People who gave the votes. 0 if nobody knows."),
                ),
                (
                    "left_out",
                    models.PositiveIntegerField(
                        default=0, help_text="Rows about photos that the campaign does not have."
                    ),
                ),
                ("message", models.TextField(blank=True, help_text="Why it failed.")),
                (
                    "problems",
                    models.JSONField(
                        blank=True, default=list, help_text="The first lines that are wrong: [[line, why], …]"
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("heartbeat_at", models.DateTimeField(blank=True, null=True)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.RemoveConstraint(
            model_name="annotation",
            name="annotation_answers_or_skips",
        ),
        migrations.AddField(
            model_name="annotation",
            name="given_at",
            field=models.DateTimeField(
                blank=True, editable=False, help_text="When an imported vote was given, if the file says it.", null=True
            ),
        ),
        migrations.AlterField(
            model_name="annotation",
            name="watch",
            field=models.CharField(
                blank=True,
                choices=[("yes", "watch"), ("no", "no watch"), ("unsure", "unsure")],
                help_text="Empty for a skip, and for an imported vote of somebody who was not asked.",
                max_length=6,
                verbose_name="watch label",
            ),
        ),
        migrations.AddField(
            model_name="aggregatedvotes",
            name="image",
            field=models.ForeignKey(
                blank=True,
                help_text="Empty while the campaign does not have the photo.",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="aggregated_votes",
                to="annotation.image",
            ),
        ),
        migrations.AddField(
            model_name="importedannotator",
            name="campaign",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="imported_annotators",
                to="annotation.campaign",
            ),
        ),
        migrations.AddField(
            model_name="importedannotator",
            name="user",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.CASCADE, related_name="imported_as", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="voteimport",
            name="campaign",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="vote_imports", to="annotation.campaign"
            ),
        ),
        migrations.AddField(
            model_name="voteimport",
            name="created_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="aggregatedvotes",
            name="vote_import",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="aggregated_votes", to="annotation.voteimport"
            ),
        ),
        migrations.AddField(
            model_name="annotation",
            name="vote_import",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                editable=False,
                help_text="The vote was given elsewhere and came with this import.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="annotations",
                to="annotation.voteimport",
            ),
        ),
        migrations.AddIndex(
            model_name="annotation",
            index=models.Index(
                condition=models.Q(("vote_import__isnull", False)),
                fields=["vote_import"],
                name="annotation_of_vote_import",
            ),
        ),
        migrations.AddConstraint(
            model_name="annotation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("score__isnull", False),
                        ("skip_reason", ""),
                        models.Q(
                            models.Q(("watch", ""), _negated=True), ("vote_import__isnull", False), _connector="OR"
                        ),
                    ),
                    models.Q(models.Q(("skip_reason", ""), _negated=True), ("score", None), ("watch", "")),
                    _connector="OR",
                ),
                name="annotation_answers_or_skips",
            ),
        ),
        migrations.AddConstraint(
            model_name="importedannotator",
            constraint=models.UniqueConstraint(fields=("campaign", "name"), name="imported_annotator_once"),
        ),
        migrations.AddConstraint(
            model_name="voteimport",
            constraint=models.CheckConstraint(
                condition=models.Q(("scale_max__gt", models.F("scale_min"))), name="vote_import_scale_ascends"
            ),
        ),
        migrations.AddConstraint(
            model_name="voteimport",
            constraint=models.UniqueConstraint(
                condition=models.Q(("sha256", ""), _negated=True),
                fields=("campaign", "sha256"),
                name="vote_import_of_a_file_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="aggregatedvotes",
            constraint=models.UniqueConstraint(fields=("vote_import", "name"), name="aggregated_votes_once"),
        ),
    ]
