from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("training", "0002_help_texts"),
    ]

    operations = [
        migrations.AddField(
            model_name="evaluation",
            name="settings",
            field=models.JSONField(
                default=dict,
                help_text="The campaign's scale, class limits and watch threshold at that time. Empty in old evaluations.",
            ),
        ),
    ]
