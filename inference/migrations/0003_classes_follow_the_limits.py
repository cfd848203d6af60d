import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("inference", "0002_help_texts"),
    ]

    operations = [
        migrations.RemoveField(
            model_name="prediction",
            name="quality_class",
        ),
        migrations.AlterField(
            model_name="prediction",
            name="synset_probabilities",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.FloatField(), help_text="In the order of the version's synsets.", size=None
            ),
        ),
    ]
