"""Stored disagreements know whose votes they leave out."""

import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("inference", "0004_campaigns_take_turns"),
    ]

    operations = [
        migrations.AddField(
            model_name="disagreementmark",
            name="excluded",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.BigIntegerField(),
                default=list,
                help_text="Annotators whom a reviewer had excluded, ascending.",
                size=None,
            ),
        ),
    ]
