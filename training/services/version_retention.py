"""Deletes the files of old model versions. Their rows, figures, predictions and cards stay."""

import shutil
from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext

from annotation.models import AuditKind, Campaign
from annotation.services.audit import audit_record
from inference.models import ModelVersion
from training.models import VersionExport
from training.selectors.versions import rollback_target


def versions_to_delete(campaign: Campaign, *, keep: int) -> list[ModelVersion]:
    """Return the versions whose files are not among those of the newest `keep`, oldest first (three queries).

    Always kept: the champion, the version that a rollback goes to, and the newest version.
    Raises ValueError if `keep` is below 1.
    """
    if keep < 1:
        raise ValueError(gettext("The files of at least one version are kept."))
    versions = list(ModelVersion.objects.filter(campaign=campaign, files_deleted_at=None).order_by("-number"))
    target = rollback_target(campaign)
    kept = {version.pk for version in versions[:keep]} | {version.pk for version in versions if version.is_champion}
    kept |= {target.pk} if target else set()
    return [version for version in reversed(versions) if version.pk not in kept]


def version_files_delete(*, campaign: Campaign, keep: int) -> Sequence[ModelVersion]:
    """Delete the files of all versions but the newest `keep`, and their exports; return these versions, oldest first.

    Files that an interrupted call has left are deleted too. Raises ValueError if `keep` is below 1.
    """
    with transaction.atomic():
        # Locked as in a promotion, so that no version becomes champion between the choice and the deletion.
        Campaign.objects.select_for_update().get(pk=campaign.pk)
        versions = versions_to_delete(campaign, keep=keep)
        for version in versions:
            version.files_deleted_at = timezone.now()
            version.save(update_fields=["files_deleted_at"])
        if versions:
            audit_record(
                kind=AuditKind.MODEL_FILES,
                campaign=campaign,
                what=f"files of {len(versions)} model version{'' if len(versions) == 1 else 's'}",
                after={"versions": [version.number for version in versions], "kept": keep},
            )
    # After the commit: a row without files is harmless, a version without files is not.
    for version in ModelVersion.objects.filter(campaign=campaign).exclude(files_deleted_at=None):
        shutil.rmtree(version.path, ignore_errors=True)
    for export in VersionExport.objects.filter(version__campaign=campaign).select_related("version"):
        if export.version.files_deleted_at is not None:
            export.path.unlink(missing_ok=True)
    return versions
