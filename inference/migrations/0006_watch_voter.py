import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("annotation", "0020_vote_imports"),
        ("inference", "0005_excluded_annotators_of_disagreements"),
    ]

    operations = [
        migrations.CreateModel(
            name="WatchVoter",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "fit_id",
                    models.PositiveBigIntegerField(
                        help_text="Id of the fit of the people's consensus that it continues."
                    ),
                ),
                ("threshold", models.FloatField(help_text="The campaign's threshold at that time.")),
                ("predictions", models.PositiveIntegerField(help_text="Predictions of the version at that time.")),
                ("photos", models.PositiveIntegerField(help_text="Photos of the holdout with watch labels of people.")),
                (
                    "sensitivity",
                    models.FloatField(
                        help_text="Probability of 'watch' for a watch. Empty: too few photos.", null=True
                    ),
                ),
                ("specificity", models.FloatField(help_text="Probability of 'no watch' without a watch.", null=True)),
                ("made_at", models.DateTimeField()),
                (
                    "model_version",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="watch_voter",
                        to="inference.modelversion",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="WatchWithModel",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("probability", models.FloatField(help_text="0 … 1")),
                (
                    "image",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="watch_with_model",
                        to="annotation.image",
                    ),
                ),
                (
                    "model_version",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="inference.modelversion",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("model_version", "image"), name="watch_with_model_once")
                ],
            },
        ),
    ]
