"""An index for the search of photos by the beginning of their file name, and a name for imports."""

import django.db.models.functions.comparison
import django.db.models.functions.text
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("annotation", "0029_retrain_on_drift"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="importbatch",
            options={"ordering": ["-id"], "verbose_name": "import", "verbose_name_plural": "imports"},
        ),
        migrations.AddIndex(
            model_name="image",
            index=models.Index(
                models.F("campaign"),
                django.db.models.functions.comparison.Collate(
                    django.db.models.functions.text.Lower(
                        models.Func(models.F("name"), models.Value("^.*/"), models.Value(""), function="regexp_replace")
                    ),
                    "C",
                ),
                name="image_file_name",
            ),
        ),
    ]
