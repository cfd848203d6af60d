"""The table of audit records, and a trigger that keeps its rows as they are."""

import django.core.serializers.json
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

# The address is personal data, so it can be removed. TRUNCATE, which the tests use, is not refused.
_APPEND_ONLY = """
CREATE FUNCTION annotation_auditrecord_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF NEW.address IS NULL AND to_jsonb(NEW) - 'address' = to_jsonb(OLD) - 'address' THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'Audit records are never changed or deleted.';
END $$;
CREATE TRIGGER annotation_auditrecord_append_only BEFORE UPDATE OR DELETE ON annotation_auditrecord
    FOR EACH ROW EXECUTE FUNCTION annotation_auditrecord_append_only();
"""
_CHANGEABLE = """
DROP TRIGGER annotation_auditrecord_append_only ON annotation_auditrecord;
DROP FUNCTION annotation_auditrecord_append_only();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("annotation", "0009_sessions_tokens_and_links"),
    ]

    operations = [
        migrations.CreateModel(
            name="AuditRecord",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField(db_index=True, default=django.utils.timezone.now)),
                ("kind", models.CharField(max_length=40)),
                ("what", models.CharField(blank=True, help_text="The thing it is about, in words.", max_length=300)),
                ("before", models.JSONField(encoder=django.core.serializers.json.DjangoJSONEncoder, null=True)),
                ("after", models.JSONField(encoder=django.core.serializers.json.DjangoJSONEncoder, null=True)),
                ("address", models.GenericIPAddressField(null=True)),
                (
                    "by",
                    models.ForeignKey(
                        help_text="Empty: a command, a worker, or somebody who has not logged in.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "campaign",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="annotation.campaign",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        help_text="The account it is about.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "indexes": [models.Index(fields=["campaign", "-id"], name="audit_of_a_campaign")],
            },
        ),
        migrations.RunSQL(_APPEND_ONLY, _CHANGEABLE),
    ]
