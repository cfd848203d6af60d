"""Uploaded files that wait for their import, and those of them that are missing on the server's disk."""

import re
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext_noop

from annotation.models import ImportBatch, ImportRejection

LABELS_FOLDER = ".labels"  # of an upload: tables of labels, until its photos are imported
UPLOAD = "upload"  # `source` of batches whose files came through the browser
_REASON = gettext_noop("It was missing on the server when the import began. Upload it again.")
_REASON_MANY = gettext_noop("They were missing on the server when the import began. Upload them again.")
# Names of files that are not complete, and of files that imports write.
_OWN = re.compile(r"\.\d+\.part|\.one-zip")


def batch_folder(batch: ImportBatch) -> Path:
    """Return the folder that holds an upload's files until they are imported."""
    return Path(settings.UPLOADS_ROOT) / str(batch.pk)


def uploads_lost() -> list[tuple[ImportBatch, int]]:
    """Return the uploads whose import has not begun and that have lost files, with the number of lost files."""
    waiting = ImportBatch.objects.filter(
        source=UPLOAD, total=0, state__in=[ImportBatch.State.RECEIVING, ImportBatch.State.QUEUED]
    )
    counted = [(batch, _lost_count(batch)) for batch in waiting.select_related("campaign")]
    return [(batch, lost) for batch, lost in counted if lost]


def files_lost_reject(*, batch: ImportBatch) -> None:
    """List the lost files of an upload as rejected, before the first file is imported. Their names are not known."""
    lost = _lost_count(batch) if not batch.total else 0
    if lost:
        name, reason = (
            (gettext_noop("1 uploaded file"), _REASON)
            if lost == 1
            else (gettext_noop("%(lost)s uploaded files") % {"lost": lost}, _REASON_MANY)
        )
        ImportRejection.objects.get_or_create(batch=batch, name=name, defaults={"reason": reason})


def _lost_count(batch: ImportBatch) -> int:
    files = (file for file in batch_folder(batch).rglob("*") if file.is_file())
    own = (file for file in files if not _OWN.fullmatch(file.name) and LABELS_FOLDER not in file.parts)
    return max(0, batch.received - sum(1 for _ in own))
