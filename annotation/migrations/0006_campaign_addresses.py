import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("annotation", "0005_help_texts"),
    ]

    operations = [
        migrations.CreateModel(
            name="CampaignAddress",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("slug", models.SlugField(max_length=60, unique=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "campaign",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="addresses",
                        to="annotation.campaign",
                    ),
                ),
            ],
        ),
        # The addresses that campaigns had before this table are not known. Their present ones are.
        migrations.RunSQL(
            "INSERT INTO annotation_campaignaddress (slug, campaign_id, created_at) "
            "SELECT slug, id, now() FROM annotation_campaign",
            migrations.RunSQL.noop,
        ),
    ]
