from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("annotation", "0035_index_of_reported_photos"),
    ]

    operations = [
        migrations.AddField(
            model_name="user",
            name="language",
            field=models.CharField(
                blank=True,
                help_text="Language of the pages. Empty: the first language of the browser that there is.",
                max_length=10,
            ),
        ),
    ]
