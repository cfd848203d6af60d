"""Each run says why it was requested."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("training", "0011_version_exports_and_comparisons"),
    ]

    operations = [
        migrations.AddField(
            model_name="trainingrun",
            name="reason",
            field=models.TextField(blank=True, help_text="Why the run was requested, if the trigger does not say it."),
        ),
        migrations.AlterField(
            model_name="trainingrun",
            name="trigger",
            field=models.CharField(
                choices=[
                    ("button", "button"),
                    ("schedule", "schedule"),
                    ("count", "new annotations"),
                    ("command", "command line"),
                    ("api", "API"),
                    ("backbone", "another backbone"),
                    ("drift", "drift of photos"),
                ],
                max_length=8,
            ),
        ),
    ]
