"""The backbone belongs to the campaign. Present campaigns keep the one that the site has used for all of them."""

import os
from typing import Any

from django.db import migrations, models

import annotation.models.campaigns

_FORMER_DEFAULT = "efficientnet_lite0"


def keep_present(apps: Any, _schema_editor: Any) -> None:
    """Give present campaigns the backbone of the site: the setting, or its former default."""
    name = os.environ.get("IQS_BACKBONE") or _FORMER_DEFAULT
    apps.get_model("annotation", "Campaign").objects.update(backbone=name)


class Migration(migrations.Migration):
    dependencies = [("annotation", "0024_votes_count_for_a_part")]

    operations = [
        migrations.AddField(
            model_name="campaign",
            name="backbone",
            field=models.CharField(
                default=annotation.models.campaigns.default_backbone,
                help_text="Network whose features are stored for each photo, and from which models learn.",
                max_length=64,
            ),
        ),
        migrations.RunPython(keep_present, migrations.RunPython.noop),
    ]
