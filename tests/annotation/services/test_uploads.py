from pathlib import Path
from typing import Any

import pytest

from annotation.models import Campaign, ImportBatch, ImportRejection
from annotation.services.batches import batch_enqueue, batch_folder, upload_begin
from annotation.services.uploads import UploadClosed, UploadRefused, WrongOffset, upload_piece_store


@pytest.fixture
def upload(campaign: Campaign) -> ImportBatch:
    return upload_begin(campaign=campaign, by=None)


def put(
    upload: ImportBatch, name: str, data: bytes, *, number: int = 0, offset: int = 0, size: int | None = None
) -> bool:
    return upload_piece_store(
        campaign=upload.campaign,
        batch_id=upload.pk,
        number=number,
        name=name,
        size=len(data) if size is None else size,
        offset=offset,
        piece=data,
    )


def stored(upload: ImportBatch) -> dict[str, bytes]:
    folder = batch_folder(upload)
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_pieces_are_joined_into_a_file(upload: ImportBatch) -> None:
    assert not put(upload, "a/b.jpg", b"one ", size=7)
    assert stored(upload) == {".0.part": b"one "}
    assert put(upload, "a/b.jpg", b"two", offset=4, size=7)
    assert stored(upload) == {"a/b.jpg": b"one two"}


def test_the_error_for_a_wrong_offset_has_the_right_offset(upload: ImportBatch) -> None:
    put(upload, "a.jpg", b"one ", size=7)
    with pytest.raises(WrongOffset) as error:
        put(upload, "a.jpg", b"o", offset=6, size=7)
    assert error.value.offset == 4
    with pytest.raises(WrongOffset) as error:
        put(upload, "b.jpg", b"o", offset=6, size=7, number=1)
    assert error.value.offset == 0
    assert not put(upload, "a.jpg", b"new ", size=7)  # the file starts again from the beginning
    assert stored(upload) == {".0.part": b"new "}


def test_files_with_the_same_name_are_all_kept(upload: ImportBatch) -> None:
    for number in range(3):
        put(upload, "a/x.jpg", b"%d" % number, number=number)
    assert stored(upload) == {"a/x.jpg": b"0", "a/x (2).jpg": b"1", "a/x (3).jpg": b"2"}


@pytest.mark.parametrize("name", ["../../escape.jpg", "/etc/escape.jpg", "C:\\x\\..\\escape.jpg"])
def test_no_file_is_stored_outside_the_folder(upload: ImportBatch, name: str, settings: Any) -> None:
    put(upload, name, b"x")
    assert [file.name for file in Path(settings.UPLOADS_ROOT).rglob("*.jpg")] == ["escape.jpg"]
    assert next(iter(stored(upload))).endswith("escape.jpg")


def test_empty_file_is_stored(upload: ImportBatch) -> None:
    assert put(upload, "empty.jpg", b"")
    assert stored(upload) == {"empty.jpg": b""}


def test_refused_files_are_listed_with_the_batch(upload: ImportBatch, settings: Any) -> None:
    settings.IQS_MAX_FILE_BYTES, settings.IQS_MAX_ZIP_BYTES, settings.IQS_MAX_FILES_PER_IMPORT = 10, 20, 5
    for name, size, number in (("large.jpg", 11, 0), ("large.zip", 21, 1), ("many.jpg", 1, 5)):
        with pytest.raises(UploadRefused):
            put(upload, name, b"x", size=size, number=number)
    with pytest.raises(UploadRefused, match="longer than announced"):
        put(upload, "grown.jpg", b"xxx", size=2, number=2)
    assert put(upload, "fits.zip", b"x" * 20, number=3)
    assert sorted(ImportRejection.objects.values_list("name", flat=True)) == [
        "grown.jpg",
        "large.jpg",
        "large.zip",
        "many.jpg",
    ]
    assert list(stored(upload)) == ["fits.zip"]


def test_file_in_a_folder_with_the_name_of_a_file_is_refused(upload: ImportBatch) -> None:
    put(upload, "a", b"a file", number=0)
    with pytest.raises(UploadRefused, match="same name as this file's folder"):
        put(upload, "a/x.jpg", b"x", number=1)
    with pytest.raises(UploadRefused, match="same name as this file's folder"):
        put(upload, "a/b/x.jpg", b"x", number=2)


def test_closed_upload_accepts_no_pieces(upload: ImportBatch) -> None:
    put(upload, "a.jpg", b"one ", size=7)
    batch_enqueue(batch=upload)
    with pytest.raises(UploadClosed):
        put(upload, "a.jpg", b"two", offset=4, size=7)
    other = Campaign.objects.create(slug="other", name="Other")
    with pytest.raises(UploadClosed):
        upload_piece_store(campaign=other, batch_id=upload.pk, number=0, name="a.jpg", size=1, offset=0, piece=b"x")


def test_pieces_are_refused_when_the_disk_is_almost_full(upload: ImportBatch, monkeypatch: pytest.MonkeyPatch) -> None:
    # A mock, because a test cannot fill a real disk.
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": 1000})())
    with pytest.raises(UploadRefused, match="too full"):
        put(upload, "a.jpg", b"x")
