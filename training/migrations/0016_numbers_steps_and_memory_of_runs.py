"""Runs are numbered within their campaign, and keep the times of their steps and their peak memory."""

from django.db import migrations, models

# Present runs get numbers in the order in which they were requested.
_NUMBERS = """
UPDATE training_trainingrun run SET number = counted.number
FROM (SELECT id, row_number() OVER (PARTITION BY campaign_id ORDER BY id) AS number FROM training_trainingrun) counted
WHERE counted.id = run.id
"""


class Migration(migrations.Migration):
    dependencies = [("training", "0015_stored_trends")]

    operations = [
        migrations.AddField(
            "trainingrun",
            "number",
            models.PositiveIntegerField(default=0, editable=False, help_text="1, 2, … within the campaign."),
        ),
        migrations.RunSQL(_NUMBERS, migrations.RunSQL.noop),
        migrations.AddField(
            "trainingrun",
            "steps",
            models.JSONField(
                blank=True, default=list, help_text="When each step of the newest attempt began: [{name, at}]."
            ),
        ),
        migrations.AddField(
            "trainingrun",
            "peak_memory",
            models.PositiveBigIntegerField(
                blank=True, help_text="Bytes of the training process at most; empty if nobody watched it.", null=True
            ),
        ),
        migrations.AddConstraint(
            "trainingrun", models.UniqueConstraint(fields=("campaign", "number"), name="run_number_of_a_campaign")
        ),
    ]
