"""Tables of labels that come with photos: beside them, in a folder or in a zip.

They are set aside before the photos are imported, because a zip is deleted when its photos are done. After the photos,
each becomes an import of votes, which another task does.
"""

from collections.abc import Iterable
from hashlib import sha256
from pathlib import PurePosixPath

from django.db import transaction

from annotation.exchange.label_files import label_reader
from annotation.exchange.reading import VoteFileError
from annotation.files.names import name_shortened, name_text, text_encodable, text_storable
from annotation.files.whole_file import put_in_place, whole_file
from annotation.models import ImportBatch, ImportRejection
from annotation.photos.decoding import PhotoRejected
from annotation.photos.sources import Candidate, column_name, is_table
from annotation.services.upload_files import LABELS_FOLDER, batch_folder
from annotation.services.vote_imports import VoteImportRefused, upload_path, vote_import_begin

_NAME_BYTES = 200


def tables_apart(candidates: Iterable[Candidate]) -> tuple[list[Candidate], list[Candidate]]:
    """Return the candidates that can be photos, and those that can be tables of labels."""
    photos: list[Candidate] = []
    tables: list[Candidate] = []
    for candidate in candidates:
        (tables if is_table(candidate.name) else photos).append(candidate)
    return photos, tables


def tables_keep(*, batch: ImportBatch, tables: Iterable[Candidate]) -> None:
    """Copy the tables of an upload to a folder of their own. A second call copies what is missing."""
    for candidate in tables:
        name = name_shortened(PurePosixPath(candidate.name).name, _NAME_BYTES, in_bytes=True)
        # A folder for each path, because two folders of an upload can have tables of the same name.
        folder = sha256(text_encodable(candidate.name).encode()).hexdigest()[:16]
        place = batch_folder(batch) / LABELS_FOLDER / folder / name
        if place.exists():
            continue
        try:
            data = candidate.read()
        except PhotoRejected as rejected:
            _reject(batch, candidate.name, str(rejected))
            continue
        place.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(place) as stored:
            stored.write(data)


def labels_enqueue(*, batch: ImportBatch) -> int:
    """Queue an import of votes for each table of an upload whose photos are imported; return how many.

    Votes on photos that the campaign does not have are left out and counted: some photos may have been refused. A table
    that has no labels is listed as rejected.
    """
    campaign, queued = batch.campaign, 0
    for path in sorted(batch_folder(batch).glob(f"{LABELS_FOLDER}/*/*")):
        try:
            reader, scale = label_reader(path, (campaign.scale_min, campaign.scale_max))
            with transaction.atomic():
                begun = vote_import_begin(
                    campaign=campaign,
                    reader=reader,
                    source=name_text(path.name),
                    scale=scale,
                    leaves_out_unknown=True,
                    by=batch.created_by,
                    batch=batch,
                )
                target = upload_path(begun)
                target.parent.mkdir(parents=True, exist_ok=True)
                put_in_place(path, target)  # the import is visible only with its file
            queued += 1
        except (VoteFileError, VoteImportRefused) as refused:
            _reject(batch, name_text(path.name), str(refused))
            path.unlink(missing_ok=True)
    return queued


def _reject(batch: ImportBatch, name: str, reason: str) -> None:
    row = ImportRejection(batch=batch, name=column_name(name), reason=text_storable(reason))
    ImportRejection.objects.bulk_create([row], ignore_conflicts=True)
