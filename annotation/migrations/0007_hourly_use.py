import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("annotation", "0006_campaign_addresses")]

    operations = [
        migrations.CreateModel(
            name="HourlyUse",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("scored photos", "photos sent for scoring"),
                            ("scoring seconds", "seconds that workers spent on the photos"),
                            ("imports", "imports started"),
                            ("training runs", "training runs started"),
                        ],
                        max_length=16,
                    ),
                ),
                ("hour", models.DateTimeField(help_text="Start of the hour.")),
                ("amount", models.FloatField(default=0.0)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["hour"], name="use_hour")],
                "constraints": [models.UniqueConstraint(fields=("user", "kind", "hour"), name="use_once")],
            },
        ),
    ]
