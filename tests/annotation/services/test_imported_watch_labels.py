"""Watch labels of nobody that is known: they are stored as they are, shown, and written again."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.test import Client

from annotation.exchange.registry import READERS
from annotation.models import AggregatedVotes, Annotation, Campaign, Image, ImportedAnnotator, User, VoteImport
from annotation.selectors.vote_summaries import stored_summary
from annotation.services.vote_imports import aggregated_votes_link, vote_import_begin, vote_import_run
from annotation.tasks import votes_import
from tests.annotation.views.test_vote_imports import text_of

FOLDERS = ("accepted/watch/photo-1.jpg", "no-watch/photo-2.jpg", "rejected/photo-3.jpg", "watch/elsewhere.jpg")


@pytest.fixture
def photos(make_image: Callable[..., Image]) -> list[Image]:
    return [make_image(seed) for seed in (1, 2, 3)]


def imported(campaign: Campaign, path: Path, reader: str = "watch-csv") -> VoteImport:
    begun = vote_import_begin(campaign=campaign, reader=READERS[reader], source=path.name)
    return vote_import_run(vote_import=begun, path=path)


def zip_of(*names: str) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name in names:
            archive.writestr(name, b"")
    return data.getvalue()


def rows_of(vote_import: VoteImport) -> list[tuple[Any, ...]]:
    fields = ("name", "image__name", "mos", "watch_yes", "watch_no")
    return sorted(vote_import.aggregated_votes.values_list(*fields))


def test_folders_are_stored_as_what_they_say(campaign: Campaign, photos: list[Image], tmp_path: Path) -> None:
    path = tmp_path / "labels.zip"
    path.write_bytes(zip_of(*FOLDERS))
    done = imported(campaign, path, "class-folders")
    assert (done.state, done.rows, done.photos, done.annotators) == ("done", 4, 4, 0)
    assert rows_of(done) == [
        ("elsewhere.jpg", None, None, 1, 0),
        ("photo-1.jpg", "photo-1.jpg", 8.0, 1, 0),
        ("photo-2.jpg", "photo-2.jpg", None, 0, 1),
        ("photo-3.jpg", "photo-3.jpg", 3.0, None, None),
    ]
    assert not Annotation.objects.exists()
    assert not ImportedAnnotator.objects.exists()  # nobody is invented
    summary = stored_summary(done)
    assert summary is not None
    assert (summary.photos, summary.rated, summary.with_image) == (4, 2, 3)
    assert (summary.watch, summary.no_watch, summary.undecided) == (2, 1, 0)
    assert (summary.rejected, summary.pending, summary.accepted) == (1, 0, 1)


def test_a_photo_that_comes_later_gets_its_label(
    campaign: Campaign, make_image: Callable[..., Image], tmp_path: Path
) -> None:
    path = tmp_path / "labels.csv"
    path.write_text("file,watch\nphoto-7.jpg,unsure\n")
    done = imported(campaign, path)
    assert rows_of(done) == [("photo-7.jpg", None, None, 0, 0)]
    photo = make_image(7)
    assert aggregated_votes_link(campaign=campaign) == 1
    assert photo.aggregated_votes.get().watch == "unsure"


def test_one_wrong_line_stores_nothing(campaign: Campaign, photos: list[Image], tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text("file,watch\nphoto-1.jpg,yes\nphoto-2.jpg,\nphoto-1.jpg,no\n")
    done = imported(campaign, path)
    assert done.state == VoteImport.State.FAILED
    assert done.problems == [
        [3, "The watch label is missing."],
        [4, "What people said about photo-1.jpg is in line 2 already."],
    ]
    assert not AggregatedVotes.objects.exists()


@pytest.mark.parametrize(
    "row",
    [
        {},
        {"watch_yes": 1},
        {"votes": 3, "watch_yes": 1, "watch_no": 0},
        {"sos": 1.0, "watch_yes": 1, "watch_no": 0},
    ],
)
def test_a_row_says_at_least_one_whole_thing(campaign: Campaign, row: dict[str, Any]) -> None:
    begun = vote_import_begin(campaign=campaign, reader=READERS["watch-csv"], source="a.csv")
    with pytest.raises(IntegrityError), transaction.atomic():
        AggregatedVotes.objects.create(vote_import=begun, name="1.jpg", **row)


def test_labels_are_written_again_and_come_back(campaign: Campaign, photos: list[Image], tmp_path: Path) -> None:
    path = tmp_path / "labels.zip"
    path.write_bytes(zip_of(*FOLDERS))
    first = imported(campaign, path, "class-folders")
    for name in ("watch-csv", "watch-jsonl", "watch-parquet"):
        again = tmp_path / f"again-{name}"
        call_command("export_votes", "watches", "--of-import", str(first.pk), "--format", name, "--out", str(again))
        second = imported(campaign, again, name)
        assert second.state == VoteImport.State.DONE, second.message
        assert [(row[0], *row[3:]) for row in rows_of(second)] == [
            ("elsewhere.jpg", 1, 0),
            ("photo-1.jpg", 1, 0),
            ("photo-2.jpg", 0, 1),
        ]


def test_what_most_people_said_is_written_for_each_photo(
    campaign: Campaign, photos: list[Image], tmp_path: Path
) -> None:
    path = tmp_path / "votes.csv"
    path.write_text(
        "annotator,file,score,watch\na,photo-1.jpg,5,yes\nb,photo-1.jpg,5,yes\nc,photo-1.jpg,5,no\n"
        "a,photo-2.jpg,5,no\nb,photo-2.jpg,5,yes\na,photo-3.jpg,5,\n"
    )
    imported(campaign, path, "votes-csv")
    out = tmp_path / "labels.csv"
    call_command("export_votes", "watches", "--format", "watch-csv", "--out", str(out))
    assert out.read_text().split() == ["file,watch", "photo-1.jpg,yes", "photo-2.jpg,unsure"]


def send(client: Client, data: bytes) -> str:
    """Import a zip of folders through the page, and return the address of the import."""
    fields = {"format": "class-folders", "file": SimpleUploadedFile("labels.zip", data)}
    found = client.post("/campaigns/watches/votes/", fields)
    assert found.status_code == 302, found.content
    votes_import(VoteImport.objects.latest("pk").pk)
    return str(found["Location"])


def test_the_pages_show_labels_as_what_they_are(
    client_of: Callable[[str], Client], photos: list[Image], people: dict[str, User]
) -> None:
    client = client_of("ada")
    page = text_of(client.get(send(client, zip_of("watch/photo-1.jpg", "no-watch/photo-2.jpg"))))
    assert "2 watch labels 2 photos" in page
    assert "50 % of the photos show a watch" in page.replace("\xa0", " ").replace("&nbsp;", " ")
    assert "middle of the scale" not in page
    at_photo = [text_of(client.get(f"/campaigns/watches/photos/{photo.pk}/")) for photo in photos]
    assert "watch imported label from labels.zip, not one of the votes" in at_photo[0]
    assert "no watch imported label from labels.zip" in at_photo[1]
    assert "imported label" not in at_photo[2]
    assert "Aggregated votes" not in at_photo[0]
    number = VoteImport.objects.get().pk
    of_reviewer = text_of(client_of("rita").get(f"/campaigns/watches/photos/{photos[0].pk}/"))
    assert f"imported label from import {number}, not one of the votes" in of_reviewer


@pytest.mark.parametrize(("name", "status"), [("alice", 403), ("rita", 403), ("", 302), ("ada", 200)])
def test_only_admins_see_the_page_of_an_import(
    campaign: Campaign,
    client_of: Callable[[str], Client],
    photos: list[Image],
    people: dict[str, User],
    tmp_path: Path,
    name: str,
    status: int,
) -> None:
    path = tmp_path / "labels.csv"
    path.write_text("file,watch\nphoto-1.jpg,yes\n")
    done = imported(campaign, path)
    client = client_of(name) if name else Client()
    assert client.get(f"/campaigns/watches/votes/{done.pk}/").status_code == status


def test_both_pages_say_on_how_many_photos_single_votes_count_instead(
    campaign: Campaign, client_of: Callable[[str], Client], photos: list[Image], people: dict[str, User], tmp_path: Path
) -> None:
    votes = tmp_path / "votes.csv"
    votes.write_text("annotator,file,score,watch\na,photo-1.jpg,5,yes\nb,photo-1.jpg,5,yes\nb,photo-2.jpg,5,\n")
    of_votes = imported(campaign, votes, "votes-csv")
    client = client_of("ada")
    page = text_of(client.get(send(client, zip_of("watch/photo-1.jpg", "no-watch/photo-2.jpg"))))
    assert "1 of these photos also has imported single votes about a watch." in page
    assert "leave out its histogram" not in page
    VoteImport.objects.filter(pk=of_votes.pk).update(summary="")
    page = text_of(client.get(f"/campaigns/watches/votes/{of_votes.pk}/"))
    assert "1 of these photos also has an imported watch label. Models learn from its single votes" in page
