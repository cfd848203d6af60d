"""Each annotator has a line from features to what he or she would answer, beside the crowd."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("inference", "0010_notes_and_deleted_files"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="PersonalFit",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "annotation_id",
                    models.PositiveBigIntegerField(help_text="Newest annotation of the campaign at that time."),
                ),
                ("answers", models.PositiveIntegerField(help_text="Answers that the lines were learned from.")),
                ("feature_mean", models.BinaryField(help_text="Little-endian float32, one number per feature.")),
                ("feature_spread", models.BinaryField(help_text="Standard deviations, in the same form.")),
                ("centre", models.FloatField(help_text="Mean predicted score of the answered photos.")),
                (
                    "vote_variance",
                    models.FloatField(help_text="Variance of a vote around everybody's mean, in squared points."),
                ),
                (
                    "surprising",
                    models.FloatField(help_text="An answer so many deviations from the expected score gets a hint."),
                ),
                ("made_at", models.DateTimeField()),
                (
                    "model_version",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="personal_fit",
                        to="inference.modelversion",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="PersonalLine",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("answers", models.PositiveIntegerField(help_text="Answers that it was learned from.")),
                ("bias", models.FloatField(help_text="In points of the campaign's scale.")),
                ("gain", models.FloatField(help_text="What the annotator's gain differs from 1.")),
                (
                    "deviation",
                    models.FloatField(
                        help_text="Standard deviation of the answers around the expected ones, in points."
                    ),
                ),
                (
                    "weights",
                    models.BinaryField(
                        help_text="Little-endian float32, one number per feature. Empty: too few answers."
                    ),
                ),
                (
                    "image_ids",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(),
                        help_text="The photos that it was learned from, ascending.",
                        size=None,
                    ),
                ),
                (
                    "left_out",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.FloatField(),
                        help_text="Their expected scores without the answers to them.",
                        size=None,
                    ),
                ),
                (
                    "annotator",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "fit",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="lines", to="inference.personalfit"
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("fit", "annotator"), name="personal_line_once")],
            },
        ),
    ]
