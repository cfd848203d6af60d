"""Tables of labels that come with the photos of an upload."""

import io
import zipfile
from collections.abc import Callable
from typing import Any

import pytest

from annotation.models import AggregatedVotes, Annotation, Campaign, ImportBatch, VoteImport
from annotation.services.batches import batch_enqueue, batch_folder, upload_begin
from annotation.services.uploads import upload_piece_store
from annotation.tasks import batch_import, votes_import
from tests.conftest import photo_bytes

VOTES = "annotator,file,score,watch\nann,a.jpg,7,yes\nben,a.jpg,8,yes\nann,b.jpg,3,no\n"


@pytest.fixture
def upload(campaign: Campaign, people: dict[str, Any]) -> Callable[..., ImportBatch]:
    """Return a function that uploads and imports files {name: bytes}, with their labels."""

    def upload(files: dict[str, bytes]) -> ImportBatch:
        batch = upload_begin(campaign=campaign, by=people["ada"])
        for number, (name, data) in enumerate(files.items()):
            upload_piece_store(
                campaign=campaign, batch_id=batch.pk, number=number, name=name, size=len(data), offset=0, piece=data
            )
        batch_enqueue(batch=batch)
        batch_import(batch.pk)
        for import_id in VoteImport.objects.filter(state="queued").values_list("pk", flat=True):
            votes_import(import_id)
        batch.refresh_from_db()
        return batch

    return upload


def zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def test_labels_beside_photos_become_votes(upload: Any, campaign: Campaign) -> None:
    batch = upload({"a.jpg": photo_bytes(1), "b.jpg": photo_bytes(2), "labels.csv": VOTES.encode()})
    assert (batch.state, batch.added, batch.rejected, batch.total) == ("done", 2, 0, 2)
    (labels,) = batch.label_imports.all()
    assert (labels.state, labels.rows, labels.annotators, labels.left_out) == ("done", 3, 2, 0)
    scores = Annotation.objects.values_list("image__name", "annotator__username", "score", "watch")
    assert set(scores) == {
        ("a.jpg", "watches.ann", 7, "yes"),
        ("a.jpg", "watches.ben", 8, "yes"),
        ("b.jpg", "watches.ann", 3, "no"),
    }
    assert not batch_folder(batch).exists()


def test_labels_inside_a_zip_are_found_and_photos_keep_their_names(upload: Any) -> None:
    files = {"set/a.jpg": photo_bytes(1), "set/b.jpg": photo_bytes(2), "set/votes.csv": VOTES.encode()}
    batch = upload({"photos.zip": zipped(files)})
    assert batch.added == 2
    assert batch.label_imports.get().rows == 3
    assert set(batch.images.values_list("name", flat=True)) == {"set/a.jpg", "set/b.jpg"}


def test_a_table_beside_a_zip_gives_the_photos_no_name_of_the_zip(upload: Any) -> None:
    batch = upload({"photos.zip": zipped({"a.jpg": photo_bytes(1)}), "votes.csv": VOTES.encode()})
    assert batch.images.get().name == "a.jpg"
    assert (batch.label_imports.get().rows, batch.label_imports.get().left_out) == (2, 1)


def test_votes_on_refused_photos_are_left_out_and_counted(upload: Any) -> None:
    batch = upload({"a.jpg": photo_bytes(1), "b.jpg": b"broken", "labels.csv": VOTES.encode()})
    labels = batch.label_imports.get()
    assert (batch.added, batch.rejected, labels.rows, labels.left_out) == (1, 1, 2, 1)


def test_means_become_no_answers(upload: Any) -> None:
    batch = upload({"a.jpg": photo_bytes(1), "means.csv": b"file,mos\na.jpg,7.5\n"})
    assert batch.label_imports.get().state == "done"
    assert AggregatedVotes.objects.get().image == batch.images.get()
    assert not Annotation.objects.exists()


def test_a_table_without_labels_is_listed_with_the_reason(upload: Any) -> None:
    batch = upload({"a.jpg": photo_bytes(1), "prices.csv": b"name,price\nx,1\n"})
    assert batch.state == "done"
    assert not VoteImport.objects.exists()
    rejection = batch.rejections.get()
    assert rejection.name == "prices.csv"
    assert "none of labels" in rejection.reason


def test_wrong_lines_stop_the_table_and_not_the_photos(upload: Any, client_of: Any) -> None:
    batch = upload({"a.jpg": photo_bytes(1), "labels.csv": b"file,score\na.jpg,77\n"})
    assert batch.added == 1
    labels = batch.label_imports.get()
    assert labels.state == "failed"
    assert labels.problems[0][0] == 2
    page = client_of("ada").get(f"/campaigns/watches/imports/{batch.pk}/").content.decode()
    assert "1 line is wrong, so nothing was imported." in page


def test_the_page_says_what_came_in_and_what_to_do_next(upload: Any, client_of: Any) -> None:
    batch = upload({"a.jpg": photo_bytes(1), "b.jpg": photo_bytes(2), "labels.csv": VOTES.encode()})
    page = client_of("ada").get(f"/campaigns/watches/imports/{batch.pk}/").content.decode()
    assert "3 votes of 2 people on 2 photos" in page
    for text in ("What came in", ">Annotate</a>", ">Invite people</a>"):
        assert text in page
    assert 'hx-trigger="every 1s"' not in page


def test_the_page_is_live_until_the_labels_are_stored(campaign: Campaign, client_of: Any, people: Any) -> None:
    batch = ImportBatch.objects.create(campaign=campaign, source="upload", state="done", added=1, total=1)
    VoteImport.objects.create(
        campaign=campaign, batch=batch, format="votes-csv", source="votes.csv", scale_min=1, scale_max=10
    )
    page = client_of("ada").get(f"/campaigns/watches/imports/{batch.pk}/").content.decode()
    assert 'hx-trigger="every 1s"' in page
    assert "Waiting for a worker" in page
