"""Campaigns say what the watch threshold of a version is chosen for. Present campaigns keep their threshold."""

import django.core.validators
from django.db import migrations, models

CHOICES = [
    ("fixed", "fixed: as entered here"),
    ("f1", "best F1"),
    ("cost", "least cost of mistakes"),
    ("misses", "few missed watches"),
]
HELP = (
    "Each training run chooses the threshold of its version for this aim, on photos that it has not learned from. "
    "'Fixed' holds at once; another aim holds from the next version on."
)


class Migration(migrations.Migration):
    dependencies = [("annotation", "0027_near_duplicates")]

    operations = [
        migrations.AddField(
            model_name="campaign",
            name="watch_aim",
            field=models.CharField(
                "aim of the watch threshold", choices=CHOICES, default="fixed", help_text=HELP, max_length=6
            ),
        ),
        migrations.AlterField(
            model_name="campaign",
            name="watch_aim",
            field=models.CharField(
                "aim of the watch threshold", choices=CHOICES, default="f1", help_text=HELP, max_length=6
            ),
        ),
        migrations.AddField(
            model_name="campaign",
            name="watch_miss_cost",
            field=models.FloatField(
                "cost of a missed watch",
                default=1.0,
                help_text="In false alarms. Only for the aim 'least cost of mistakes'.",
                validators=[
                    django.core.validators.MinValueValidator(0.01),
                    django.core.validators.MaxValueValidator(1000.0),
                ],
            ),
        ),
        migrations.AddField(
            model_name="campaign",
            name="watch_misses",
            field=models.FloatField(
                "largest share missed",
                default=0.05,
                help_text="Of the watches, for example 0.05. Only for the aim 'few missed watches'.",
                validators=[
                    django.core.validators.MinValueValidator(0.0),
                    django.core.validators.MaxValueValidator(0.5),
                ],
            ),
        ),
        migrations.AlterField(
            model_name="campaign",
            name="watch_threshold",
            field=models.FloatField(
                default=0.05,
                help_text="The model decides 'watch' when the watch probability is above this value. A version that "
                "has learned from enough labels has its own threshold, unless the aim is 'fixed'.",
                validators=[
                    django.core.validators.MinValueValidator(0.0),
                    django.core.validators.MaxValueValidator(1.0),
                ],
            ),
        ),
    ]
