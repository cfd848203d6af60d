"""Names of photos through an import and out of the exports, and imports that are tried again."""

import io
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from django.core.management import call_command
from django.urls import reverse

from annotation.exchange.rows import csv_rows
from annotation.files.names import name_path
from annotation.models import Campaign, Image, ImportBatch, ImportRejection
from annotation.services import batches
from annotation.services.batches import batch_claim, batch_enqueue, batch_folder, batch_run, folder_import, upload_begin
from annotation.services.uploads import UploadRefused, upload_piece_store
from tests.annotation.bad_files import write_photos, write_zip
from tests.conftest import photo_bytes
from tests.inference.scoring.test_score_names import NAMES


def text_names(data: bytes, column: str) -> list[str]:
    header, *rows = csv_rows(io.StringIO(data.decode(), newline=""))
    return [row[header.index(column)] for row in rows]


@pytest.fixture
def odd_names(tmp_path: Path) -> Path:
    folder = tmp_path / "odd"
    folder.mkdir()
    for number, name in enumerate(NAMES):
        (folder / os.fsdecode(name)).write_bytes(photo_bytes(number))
    return folder


def test_every_name_of_a_folder_comes_back_from_the_export(
    campaign: Campaign, odd_names: Path, client_of: Callable[[str], Any]
) -> None:
    batch = folder_import(campaign=campaign, source=odd_names)
    assert (batch.state, batch.added, batch.rejected) == ("done", len(NAMES), 0)
    response = client_of("rita").get(reverse("photos-table", args=["watches"]))
    names = text_names(b"".join(response.streaming_content), "file")
    assert sorted(os.fsencode(name_path(name)) for name in names) == sorted(NAMES)
    again = folder_import(campaign=campaign, source=odd_names)
    assert (again.added, again.duplicates) == (0, len(NAMES))


def test_every_photo_is_served_whatever_its_name(
    campaign: Campaign, odd_names: Path, client_of: Callable[[str], Any]
) -> None:
    folder_import(campaign=campaign, source=odd_names)
    client = client_of("rita")
    for image in Image.objects.all():
        for place in ("photo-original", "photo-thumbnail"):
            response = client.get(reverse(place, args=[image.pk]))
            assert response.status_code == 200, image.name
            assert "\n" not in response["Content-Disposition"]
        assert client.get(reverse("photo", args=["watches", image.pk])).status_code == 200


def test_a_name_is_found_in_both_unicode_forms(campaign: Campaign, odd_names: Path, client_of: Any) -> None:
    folder_import(campaign=campaign, source=odd_names)
    for typed in ("é_same", "e\u0301_same"):
        response = client_of("rita").get(reverse("photos-table", args=["watches"]), {"name": typed})
        assert len(text_names(b"".join(response.streaming_content), "file")) == 2


def test_the_command_names_rejected_files_in_one_line_each(
    campaign: Campaign, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "a\n\x1b[31m.jpg").write_bytes(b"no photo")
    call_command("import_images", "watches", str(tmp_path / "p"))
    assert "  a\\n\\x1b[31m.jpg: " in capsys.readouterr().out


def test_a_folder_whose_name_is_no_utf_8_is_imported(campaign: Campaign, tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b"f\xfcnf")
    write_photos(folder, range(2))
    batch = folder_import(campaign=campaign, source=folder)
    assert (batch.added, batch.source) == (2, f"{tmp_path}/f\\xfcnf")


def test_a_long_name_in_wide_letters_is_kept(campaign: Campaign, tmp_path: Path) -> None:
    name = "/".join(["日" * 80] * 4) + "/写真.jpg"
    (tmp_path / "p" / name).parent.mkdir(parents=True)
    (tmp_path / "p" / name).write_bytes(photo_bytes(1))
    folder_import(campaign=campaign, source=tmp_path / "p")
    assert Image.objects.get().name == name


# --- uploads --------------------------------------------------------------------------------------------------------


@pytest.fixture
def upload(campaign: Campaign) -> ImportBatch:
    return upload_begin(campaign=campaign, by=None)


def send(upload: ImportBatch, name: str, data: bytes, number: int) -> None:
    upload_piece_store(
        campaign=upload.campaign, batch_id=upload.pk, number=number, name=name, size=len(data), offset=0, piece=data
    )


def run(batch: ImportBatch) -> ImportBatch:
    batch_enqueue(batch=batch)
    claimed = batch_claim(batch_id=batch.pk)
    assert claimed is not None
    return batch_run(batch=claimed)


def test_names_from_a_browser_are_kept(upload: ImportBatch) -> None:
    sent = [name.decode() for name in NAMES if not name.startswith((b"latin1_", b"surrogate_"))]
    for number, name in enumerate(sent):
        send(upload, f"holiday/{name}", photo_bytes(number), number)
    batch = run(upload)
    assert (batch.added, batch.rejected) == (len(sent), 0)
    assert set(Image.objects.values_list("name", flat=True)) == {f"holiday/{name}" for name in sent}


def test_the_same_name_twice_is_two_photos_even_if_it_is_long(upload: ImportBatch) -> None:
    name = "x" * 251 + ".jpg"
    for number in range(3):
        send(upload, name, photo_bytes(number), number)
    assert run(upload).added == 3
    names = set(Image.objects.values_list("name", flat=True))
    assert len(names) == 3
    assert name in names


def test_a_path_that_is_too_long_is_refused_alone(upload: ImportBatch) -> None:
    long = "/".join(["d" * 200] * 30)
    for number, end in enumerate(("a.jpg", "b.jpg")):
        with pytest.raises(UploadRefused, match="too long"):
            send(upload, f"{long}/{end}", b"x", number)
    send(upload, "a.jpg", photo_bytes(1), 2)
    assert run(upload).added == 1
    assert ImportRejection.objects.count() == 2


def test_the_header_has_a_name_that_is_too_long_for_an_address(client_of: Any, upload: ImportBatch) -> None:
    name = "/".join(["я" * 100] * 8) + "/d;=\n.jpg"
    response = client_of("ada").put(
        reverse("import-file", args=["watches", upload.pk]),
        photo_bytes(1),
        content_type="application/octet-stream",
        query_params={"number": 0, "size": len(photo_bytes(1)), "offset": 0},
        headers={"X-File-Name": quote(name)},
    )
    assert response.json() == {"complete": True}
    assert (batch_folder(upload) / name).exists()


# --- zips -----------------------------------------------------------------------------------------------------------


def broken_zip(path: Path, seeds: range) -> Path:
    """Write a zip of LZMA entries whose second one is damaged."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive:
        for seed in seeds:
            archive.writestr(f"{seed}.jpg", photo_bytes(seed))
    data = bytearray(path.read_bytes())
    name = f"{seeds[1]}.jpg".encode()
    place = data.index(name) + len(name) + 9
    data[place : place + 50] = b"\xff" * 50
    path.write_bytes(data)
    return path


def test_a_damaged_entry_does_not_stop_an_import_and_its_good_copy_is_added_later(
    campaign: Campaign, tmp_path: Path
) -> None:
    batch = folder_import(campaign=campaign, source=broken_zip(tmp_path / "p.zip", range(3)))
    assert (batch.state, batch.added, batch.rejected) == ("done", 2, 1)
    assert "damaged" in ImportRejection.objects.get(name="1.jpg").reason
    good = write_zip(tmp_path / "good.zip", {f"{seed}.jpg": photo_bytes(seed) for seed in range(3)})
    again = folder_import(campaign=campaign, source=good)
    assert (again.added, again.duplicates, again.rejected) == (1, 2, 0)


@pytest.mark.parametrize("beside", [False, True])
@pytest.mark.parametrize("died_after", [1, 2])
def test_an_import_that_goes_on_gives_the_same_names(
    upload: ImportBatch, monkeypatch: pytest.MonkeyPatch, died_after: int, beside: bool
) -> None:
    """A single zip has no name before its files, also when the first attempt removed the photo beside it."""
    monkeypatch.setattr(batches, "_ROWS", 1)  # so that the attempt ends after some photos
    batch_folder(upload).mkdir(parents=True)
    if beside:
        (batch_folder(upload) / "a.jpg").write_bytes(photo_bytes(50))
    broken_zip(batch_folder(upload) / "p.zip", range(4))
    batch_enqueue(batch=upload)

    class Killed(BaseException):
        """Leaves no trace in the tables, as SIGKILL does."""

    flushes = 0

    def die(batch: ImportBatch) -> None:
        nonlocal flushes
        flushes += 1
        if flushes == died_after + 1:
            raise Killed

    claimed = batch_claim(batch_id=upload.pk)
    assert claimed is not None
    with pytest.raises(Killed):
        batch_run(batch=claimed, progress=die)
    ImportBatch.objects.update(state=ImportBatch.State.FAILED)
    batch = run(upload)
    before = "p.zip/" if beside else ""
    names = {f"{before}{seed}.jpg" for seed in (0, 2, 3)} | ({"a.jpg"} if beside else set())
    assert set(Image.objects.values_list("name", flat=True)) == names
    assert list(ImportRejection.objects.values_list("name", flat=True)) == [f"{before}1.jpg"]
    assert (batch.state, batch.added, batch.rejected, batch.duplicates) == ("done", len(names), 1, 0)
