"""Two fields tell which answers are independent votes, also when a correction was given after seeing a prediction."""

import django.db.models.deletion
from django.db import migrations, models

# The same rules as `Annotation.save`, for the rows of before: from each first answer to its corrections, in order.
# `vote` is the blind vote after the row. 3 seconds is `annotation.answers.SLIP`.
BACKFILL = """
WITH RECURSIVE chain (id, is_blind, saw_prediction, skip_reason, created_at, vote, replaces_vote) AS (
  SELECT id, NOT saw_prediction, saw_prediction, skip_reason, created_at,
    CASE WHEN NOT saw_prediction AND skip_reason = '' THEN id END, NULL::bigint
  FROM annotation_annotation WHERE supersedes_id IS NULL
  UNION ALL
  SELECT answer.id, blind.is_blind, answer.saw_prediction, answer.skip_reason, answer.created_at,
    CASE WHEN answer.skip_reason <> '' THEN NULL WHEN blind.is_blind THEN answer.id ELSE before.vote END,
    CASE WHEN blind.is_blind OR answer.skip_reason <> '' THEN before.vote END
  FROM chain before JOIN annotation_annotation answer ON answer.supersedes_id = before.id
  CROSS JOIN LATERAL (
    SELECT before.is_blind AND (
      NOT answer.saw_prediction
      OR answer.skip_reason = '' AND before.skip_reason = '' AND NOT before.saw_prediction
         AND answer.created_at - before.created_at <= interval '3 seconds'
    ) AS is_blind
  ) blind
)
UPDATE annotation_annotation answer SET is_blind = chain.is_blind, replaces_vote_id = chain.replaces_vote
FROM chain WHERE chain.id = answer.id AND (NOT chain.is_blind OR chain.replaces_vote IS NOT NULL)
"""


class Migration(migrations.Migration):
    dependencies = [
        ("annotation", "0014_photos_know_their_decoding"),
    ]

    operations = [
        migrations.AddField(
            model_name="annotation",
            name="is_blind",
            field=models.BooleanField(
                db_default=True,
                editable=False,
                help_text="Given before the annotator saw a prediction, or the correction of a slip. "
                "Set when the row is saved.",
            ),
        ),
        migrations.AddField(
            model_name="annotation",
            name="replaces_vote",
            field=models.OneToOneField(
                blank=True,
                editable=False,
                help_text="The blind vote that this row replaces or takes back. Set when the row is saved.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="vote_replaced_by",
                to="annotation.annotation",
            ),
        ),
        migrations.AlterField(
            model_name="annotation",
            name="saw_prediction",
            field=models.BooleanField(
                default=False, help_text="The prediction was, or may have been, on the page before this answer."
            ),
        ),
        # The constraints of the new reference are checked at once, because a table with waiting checks cannot change.
        migrations.RunSQL(f"{BACKFILL}; SET CONSTRAINTS ALL IMMEDIATE", migrations.RunSQL.noop),
        migrations.AddConstraint(
            model_name="annotation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("is_blind", False), ("saw_prediction", False), ("supersedes__isnull", False), _connector="OR"
                ),
                name="annotation_first_exposed_is_not_blind",
            ),
        ),
    ]
