"""Each model version carries the threshold of its watch probability. Present versions use the campaign's."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("inference", "0007_compared_photos")]

    operations = [
        migrations.AddField(
            model_name="modelversion",
            name="watch_threshold",
            field=models.FloatField(
                help_text="The version decides 'watch' above this watch probability; null: the campaign's threshold.",
                null=True,
            ),
        ),
    ]
