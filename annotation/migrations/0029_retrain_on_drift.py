"""A campaign can let drift start a training run."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("annotation", "0028_watch_aim"),
    ]

    operations = [
        migrations.AddField(
            model_name="campaign",
            name="retrain_on_drift",
            field=models.BooleanField(
                default=False,
                help_text="Start a training run when this week's photos or their scores differ from those learned from, and people have rated some of them. At most once a week.",
                verbose_name="train when new photos differ",
            ),
        ),
    ]
