import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("annotation", "0025_campaign_backbone"),
    ]

    operations = [
        migrations.AddField(
            model_name="campaign",
            name="promotion_margin",
            field=models.FloatField(
                default=0.01,
                help_text="0.01 allows a loss of 0.01 in SRCC and in F1, and of 1 % in RPS.",
                validators=[
                    django.core.validators.MinValueValidator(0.0),
                    django.core.validators.MaxValueValidator(0.2),
                ],
                verbose_name="loss that counts as not worse",
            ),
        ),
        migrations.AddField(
            model_name="campaign",
            name="promotion_rule",
            field=models.CharField(
                choices=[
                    ("quality_rps", "better Quality RPS; SRCC and watch F1 not worse"),
                    ("quality_srcc", "better Quality SRCC; RPS and watch F1 not worse"),
                    ("watch_f1", "better Watch F1; RPS and SRCC not worse"),
                    ("not_worse", "none of RPS, SRCC and watch F1 worse"),
                ],
                default="quality_rps",
                help_text="RPS improves with better ranks, less bias and better distributions. Showing that nothing is "
                "worse takes many holdout photos.",
                max_length=12,
            ),
        ),
    ]
