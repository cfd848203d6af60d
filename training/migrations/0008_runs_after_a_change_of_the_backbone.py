from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("training", "0007_decisions_of_runs")]

    operations = [
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
                ],
                max_length=8,
            ),
        ),
    ]
