"""Imports: files are received, the batch is queued, one worker claims it and imports every file.

The batch row stores the progress that pages show. A batch without a heartbeat for STALE is stale: another worker claims
it. The rows of `Image` and `ImportRejection` of a batch show which files were handled, so an interrupted import
continues with correct counts.
"""

import logging
import shutil
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext, gettext_noop

from annotation.files.names import name_path, name_text, text_storable
from annotation.models import Campaign, Image, ImportBatch, ImportRejection, User
from annotation.photos.decoding import PhotoRejected
from annotation.photos.file_check import FileFindings, StoredContent
from annotation.photos.sources import Candidate, ImportSource, Limits, SourceError
from annotation.services.claims import Claims
from annotation.services.disk_space import space_refusal
from annotation.services.images import CampaignPhotos, StoredPhoto, images_add, photo_store
from annotation.services.import_labels import labels_enqueue, tables_apart, tables_keep
from annotation.services.photo_files import Repair, photo_files_confirm, photo_repair
from annotation.services.upload_files import UPLOAD, batch_folder, files_lost_reject
from annotation.services.vote_imports import aggregated_votes_link

logger = logging.getLogger(__name__)

_CLAIMS = Claims(ImportBatch)
UPLOAD_STALE = timedelta(days=1)  # uploads without a new file for this long are discarded
_ROWS = 100  # photos per transaction
_ONE_ZIP = ".one-zip"  # a file in the folder of an upload that began with a zip and nothing else
_HEARTBEAT_SECONDS = 1.0

Details = Mapping[str, Mapping[str, Any]]
Progress = Callable[[ImportBatch], None]


class ImportLost(Exception):
    """Another worker has claimed the batch because this claim was stale. This worker must stop."""


@dataclass(frozen=True)
class _Outcome:
    """The result for one candidate: a photo to write, a reason to reject it, or a duplicate, repaired if necessary."""

    candidate: Candidate
    photo: StoredPhoto | None = None
    reason: str = ""
    duplicate: Repair | None = None


def upload_begin(*, campaign: Campaign, by: User | None) -> ImportBatch:
    """Create a batch that receives files from the browser."""
    return ImportBatch.objects.create(
        campaign=campaign,
        created_by=by,
        source=UPLOAD,
        state=ImportBatch.State.RECEIVING,
        heartbeat_at=timezone.now(),
    )


def batch_enqueue(*, batch: ImportBatch) -> bool:
    """Queue a received upload, or requeue a failed import. False when the batch is in another state.

    The caller sends `annotation.tasks.batch_import` after the transaction commits.
    """
    before = [ImportBatch.State.RECEIVING, ImportBatch.State.FAILED]
    return bool(
        ImportBatch.objects.filter(pk=batch.pk, state__in=before).update(
            state=ImportBatch.State.QUEUED, message="", heartbeat_at=timezone.now(), finished_at=None
        )
    )


def batch_discard(*, batch: ImportBatch, message: str) -> bool:
    """Discard an unfinished upload and its files. False when it no longer receives files."""
    discarded = ImportBatch.objects.filter(pk=batch.pk, state=ImportBatch.State.RECEIVING).update(
        state=ImportBatch.State.FAILED, message=message, finished_at=timezone.now()
    )
    if discarded:
        shutil.rmtree(batch_folder(batch), ignore_errors=True)
    return bool(discarded)


def batch_claim(*, batch_id: int) -> ImportBatch | None:
    """Claim a queued or stale batch. None when it is neither."""
    return _CLAIMS.claim(batch_id)


def batches_claimable() -> list[int]:
    """Return the ids of queued and stale batches, oldest first."""
    return _CLAIMS.claimable_ids()


def uploads_stale_discard() -> int:
    """Discard uploads that received no file for a day. Return how many."""
    stale = ImportBatch.objects.filter(
        state=ImportBatch.State.RECEIVING, heartbeat_at__lt=timezone.now() - UPLOAD_STALE
    )
    return sum(
        batch_discard(batch=batch, message=gettext_noop("The upload was not finished within a day.")) for batch in stale
    )


def folder_import(
    *,
    campaign: Campaign,
    source: Path,
    details: Details | None = None,
    progress: Progress | None = None,
) -> ImportBatch:
    """Import a folder or a zip in this process, and return the batch in its final state.

    `details` holds values for `Image.details` by photo name. The files are not deleted. A keyboard interrupt
    ends the batch as failed. Importing the same source again continues, because known photos are recognised by content.
    """
    batch = ImportBatch.objects.create(
        campaign=campaign,
        source=name_text(source.resolve()),
        state=ImportBatch.State.RUNNING,
        heartbeat_at=timezone.now(),
    )
    return batch_run(batch=batch, details=details, progress=progress)


def batch_run(*, batch: ImportBatch, details: Details | None = None, progress: Progress | None = None) -> ImportBatch:
    """Import every file of a claimed batch. Calls `progress` with the batch about once a second.

    The batch ends as done, or as failed with a message. Raises ImportLost when another worker has claimed the batch
    because this claim was stale.
    """
    upload = batch.source == UPLOAD
    try:
        if why := space_refusal(size=0):
            raise OSError(why)
        path = batch_folder(batch) if upload else name_path(batch.source)
        limits = Limits(settings.IQS_MAX_FILE_BYTES, settings.IQS_MAX_ZIP_BYTES, settings.IQS_MAX_FILES_PER_IMPORT)
        if upload:
            path.mkdir(parents=True, exist_ok=True)
            files_lost_reject(batch=batch)
        marker = path / _ONE_ZIP
        # The first attempt decides about the names, and later ones find fewer files.
        is_one_zip = marker.exists() if upload and batch.total else None
        with ImportSource(path, limits, is_one_zip=is_one_zip) as source:
            if upload and source.is_one_zip:
                marker.touch()
            photos, tables = tables_apart(source.candidates) if upload else (source.candidates, [])
            tables_keep(batch=batch, tables=tables)
            _Run(batch, photos, details or {}, progress or (lambda batch: None), upload).work()
    except ImportLost:
        raise
    except SourceError as error:
        return _close(batch, ImportBatch.State.FAILED, str(error))
    except OSError as error:
        logger.exception("Import %s stopped.", batch.pk)
        return _close(
            batch,
            ImportBatch.State.FAILED,
            gettext_noop("The files cannot be stored: %(error)s.") % {"error": error.strerror or error},
        )
    except KeyboardInterrupt:
        _close(
            batch,
            ImportBatch.State.FAILED,
            gettext_noop("The import was interrupted. The photos imported so far stay."),
        )
        raise
    except Exception as error:
        logger.exception("Import %s failed.", batch.pk)
        return _close(
            batch,
            ImportBatch.State.FAILED,
            gettext_noop("The import failed with an error (%(kind)s). See the log.") % {"kind": type(error).__name__},
        )
    if upload:
        labels_enqueue(batch=batch)
        shutil.rmtree(path, ignore_errors=True)
    if batch.added:
        aggregated_votes_link(campaign=batch.campaign)
    return _close(batch, ImportBatch.State.DONE, "")


class _Run:
    """One pass over the candidates of a batch."""

    def __init__(
        self, batch: ImportBatch, candidates: list[Candidate], details: Details, progress: Progress, upload: bool
    ) -> None:
        self.batch = batch
        self.details = details
        self.progress = progress
        self.upload = upload
        self.known = CampaignPhotos(batch.campaign)
        self.outcomes: list[_Outcome] = []
        self.left_in_file: dict[Path, int] = {}
        self._resume(candidates)

    def _resume(self, candidates: list[Candidate]) -> None:
        """Count the results of an earlier attempt, and put the other candidates into `self.todo`.

        Files of an upload are deleted once they are handled; files of a folder are not. So a missing file was handled,
        and if it was neither added nor rejected, it was a duplicate. Duplicates that still exist are read again and
        counted then.
        """
        batch = self.batch
        added = set(Image.objects.filter(batch=batch).values_list("name", flat=True))
        rejected = set(ImportRejection.objects.filter(batch=batch).values_list("name", flat=True))
        here = {candidate.name for candidate in candidates}
        batch.total = max(batch.total, len(here | added | rejected))
        batch.added, batch.rejected = len(added), len(rejected)
        batch.duplicates = batch.total - len(here | added | rejected)
        self.todo = [candidate for candidate in candidates if candidate.name not in added | rejected]
        for candidate in self.todo:
            self.left_in_file[candidate.file] = self.left_in_file.get(candidate.file, 0) + 1
        if self.upload:
            for file in {candidate.file for candidate in candidates} - set(self.left_in_file):
                file.unlink(missing_ok=True)

    def work(self) -> None:
        """Handle every candidate. Other threads read, decode and store files; this thread writes rows."""
        self.known.refresh()
        self._flush()
        due = time.monotonic() + _HEARTBEAT_SECONDS
        for outcome in self._outcomes():
            self.outcomes.append(outcome)
            if len(self.outcomes) >= _ROWS or time.monotonic() >= due:
                self._flush()
                due = time.monotonic() + _HEARTBEAT_SECONDS
        self._flush()

    def _outcomes(self) -> Iterator[_Outcome]:
        """Yield outcomes in the order of the candidates. Other threads work a few files ahead.

        The window limits memory: each file in it may need memory for its bytes and its pixels.
        """
        window: deque[Future[_Outcome]] = deque()
        with ThreadPoolExecutor(settings.IQS_THREADS, thread_name_prefix="import") as pool:
            try:
                for candidate in self.todo:
                    window.append(pool.submit(self._handle, candidate))
                    if len(window) > 2 * settings.IQS_THREADS:
                        yield window.popleft().result()
                while window:
                    yield window.popleft().result()
            finally:
                for future in window:
                    future.cancel()

    def _handle(self, candidate: Candidate) -> _Outcome:
        try:
            data = candidate.read()
            digest = sha256(data)
            known = self.known.contents.get(digest.digest())
            if known is not None and known.refusal:
                return _Outcome(candidate, reason=known.refusal)
            if known is not None:
                content = StoredContent(digest.hexdigest(), known.suffix, len(data), known.phash)
                return _Outcome(candidate, duplicate=photo_repair(data=data, content=content))
            details = self.details.get(candidate.name)
            return _Outcome(candidate, photo_store(name=candidate.name, data=data, details=details))
        except PhotoRejected as rejection:
            return _Outcome(candidate, reason=str(rejection))

    def _flush(self) -> None:
        """Write the outcomes since the last call and the new counts, then discard the files.

        The heartbeat shows whether this worker still has the claim: the update succeeds only if the stored heartbeat is
        the one that this worker wrote last.
        """
        batch, handled = self.batch, self.outcomes
        photos = [outcome.photo for outcome in handled if outcome.photo]
        rejections = [
            ImportRejection(batch=batch, name=outcome.candidate.name, reason=text_storable(outcome.reason))
            for outcome in handled
            if outcome.reason
        ]
        repairs = [outcome.duplicate for outcome in handled if outcome.duplicate]
        findings = {one.findings.sha256: one.findings for one in repairs}
        findings |= {photo.sha256: FileFindings(photo.sha256) for photo in photos}  # just written, or good before
        repaired = {one.findings.sha256 for one in repairs if one.is_repaired}
        with transaction.atomic():
            added = images_add(batch=batch, photos=photos, known=self.known) if photos else 0
            photo_files_confirm(findings=findings.values(), repaired=repaired)
            if rejections:
                ImportRejection.objects.bulk_create(rejections, ignore_conflicts=True)
            _heartbeat(
                batch,
                total=batch.total,
                added=batch.added + added,
                rejected=batch.rejected + len(rejections),
                duplicates=batch.duplicates + len(handled) - added - len(rejections),
                repaired=batch.repaired + len(repaired),
            )
        self.outcomes = []
        for outcome in handled:
            self._file_discard(outcome.candidate.file)
        self.progress(batch)

    def _file_discard(self, file: Path) -> None:
        """Delete a file of an upload when everything in it has been handled."""
        self.left_in_file[file] -= 1
        if self.upload and not self.left_in_file[file]:
            file.unlink(missing_ok=True)


def _heartbeat(batch: ImportBatch, **fields: Any) -> None:
    """Write fields and a new heartbeat to a running batch. Raises ImportLost when another worker has claimed it."""
    now = timezone.now()
    mine = ImportBatch.objects.filter(pk=batch.pk, state=ImportBatch.State.RUNNING, heartbeat_at=batch.heartbeat_at)
    if not mine.update(heartbeat_at=now, **fields):
        raise ImportLost(gettext("Another worker has claimed import %(pk)s.") % {"pk": batch.pk})
    batch.heartbeat_at = now
    for name, value in fields.items():
        setattr(batch, name, value)


def _close(batch: ImportBatch, state: ImportBatch.State, message: str) -> ImportBatch:
    _heartbeat(batch, state=state, message=text_storable(message), finished_at=timezone.now())
    return batch
