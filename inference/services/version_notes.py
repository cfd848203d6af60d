"""Notes of reviewers on model versions."""

from django.db import transaction

from annotation.models import AuditKind, User
from annotation.services.audit import audit_changes
from inference.models import ModelVersion


@transaction.atomic
def version_note_write(*, version: ModelVersion, note: str, by: User) -> None:
    """Replace the note on a version, and record both texts in the audit. An empty text removes the note."""
    present = ModelVersion.objects.select_for_update().get(pk=version.pk)
    before, present.note = present.note, note
    present.save(update_fields=["note"])
    audit_changes(
        kind=AuditKind.MODEL_NOTE,
        by=by,
        campaign=version.campaign,
        what=f"version {version.number}",
        before={"note": before},
        after={"note": note},
    )
