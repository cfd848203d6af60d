"""Votes of an annotator can count for a part."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("annotation", "0023_summaries_of_vote_imports"),
    ]

    operations = [
        migrations.AddField(
            model_name="screeningdecision",
            name="weight",
            field=models.FloatField(
                blank=True, help_text="With 'down-weight': how much each vote counts, between 0 and 1.", null=True
            ),
        ),
        migrations.AlterField(
            model_name="screeningdecision",
            name="decision",
            field=models.CharField(
                choices=[
                    ("keep", "keep: the votes count fully"),
                    ("down-weight", "down-weight: each vote counts for a part"),
                    ("exclude", "exclude: the votes count for nothing"),
                    ("reread", "ask to read the instructions again"),
                ],
                max_length=11,
            ),
        ),
        migrations.AddConstraint(
            model_name="screeningdecision",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("decision", "down-weight"), ("weight__gt", 0), ("weight__lt", 1)),
                    models.Q(models.Q(("decision", "down-weight"), _negated=True), ("weight", None)),
                    _connector="OR",
                ),
                name="screening_weight_of_down_weight",
            ),
        ),
    ]
