"""Copies the promotions of the past into the audit. New ones are written to both tables."""

from django.db import migrations

_LABELS = {"automatic": "automatic promotion", "manual": "promotion", "rollback": "rollback"}


def promotions_copied(apps, schema_editor):
    """Write one audit record per promotion."""
    Promotion, AuditRecord = apps.get_model("training", "Promotion"), apps.get_model("annotation", "AuditRecord")
    promotions = Promotion.objects.select_related("version", "replaced").order_by("created_at", "pk")
    AuditRecord.objects.bulk_create(
        AuditRecord(
            at=promotion.created_at,
            by_id=promotion.by_id,
            kind="promotion",
            campaign_id=promotion.campaign_id,
            what=_LABELS.get(promotion.kind, promotion.kind),
            before={"version": promotion.replaced.number if promotion.replaced else None},
            after={"version": promotion.version.number, "reason": promotion.reason},
        )
        for promotion in promotions
    )


class Migration(migrations.Migration):
    dependencies = [
        ("training", "0004_evaluation_requests"),
        ("annotation", "0010_audit"),
    ]

    operations = [migrations.RunPython(promotions_copied, migrations.RunPython.noop)]
