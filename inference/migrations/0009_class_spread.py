"""Each version says how far its predicted means are stretched for the quality class. Present versions: not at all."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("inference", "0008_watch_threshold_of_versions"),
    ]

    operations = [
        migrations.AddField(
            model_name="modelversion",
            name="class_shift",
            field=models.FloatField(default=0.0),
        ),
        migrations.AddField(
            model_name="modelversion",
            name="class_stretch",
            field=models.FloatField(
                default=1.0,
                help_text="For the quality class, a predicted mean m counts as class_shift + class_stretch·m: predicted means are less spread than mean opinion scores.",
            ),
        ),
    ]
