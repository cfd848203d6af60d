"""Pages say which photos and model files are missing or damaged, to the people who can do something about it."""

import html
import io
import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from annotation.models import Campaign, FileCheck, Image, ImportBatch, PhotoFile
from annotation.services.batches import folder_import
from annotation.services.photo_files import photo_files_verify
from iqs_site import overview
from iqs_site.management.commands import verify_media
from tests.conftest import photo_bytes, photo_path, thumbnail_path
from tests.opinions_and_predictions import version_make

HOME, CAMPAIGN, MODELS = "/", "/campaigns/watches/", "/campaigns/watches/models/"
GALLERY = "/campaigns/watches/photos/"


def text_of(response: Any) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", response.content.decode())))


@pytest.fixture(autouse=True)
def _workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace the broker, which tests do not run."""
    everything = SimpleNamespace(name="worker@host", queues=("default", "inference", "training"))
    monkeypatch.setattr(overview, "broker_alive", lambda: True)
    monkeypatch.setattr(overview, "workers_alive", lambda: [everything])


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for seed in range(3):
        (folder / f"photo-{seed}.jpg").write_bytes(photo_bytes(seed, width=400, height=300))
    return folder


@pytest.fixture
def images(campaign: Campaign, source: Path) -> list[Image]:
    """Three photos: the first without file, the second with a damaged thumbnail, the third undamaged."""
    folder_import(campaign=campaign, source=source)
    images = list(campaign.images.order_by("name"))
    photo_path(images[0]).unlink()
    thumbnail_path(images[1]).write_bytes(b"")
    photo_files_verify()
    return list(campaign.images.order_by("name"))


@pytest.mark.parametrize(("name", "sees"), [("alice", False), ("rita", False), ("ada", True), ("mallory", False)])
def test_the_home_page_tells_admins(client_of: Any, images: list[Image], name: str, sees: bool) -> None:
    text = text_of(client_of(name).get(HOME))
    assert ("2 photos of Watches are missing or damaged on the server." in text) == sees


@pytest.mark.parametrize(("name", "sees"), [("alice", False), ("rita", True), ("ada", True)])
def test_the_overview_lists_the_photos(client_of: Any, images: list[Image], name: str, sees: bool) -> None:
    text = text_of(client_of(name).get(CAMPAIGN))
    assert ("2 photos are missing or damaged on the server. Annotators do not get 1 of them." in text) == sees
    assert ("photo-0.jpg The file of this photo is missing on the server." in text) == sees
    assert ("photo-1.jpg The thumbnail of this photo is damaged" in text) == sees
    assert "photo-2.jpg" not in text


def test_the_page_of_a_photo_says_what_is_wrong(client_of: Any, images: list[Image]) -> None:
    text = text_of(client_of("ada").get(reverse("photo", args=["watches", images[0].pk])))
    assert text.count("The file of this photo is missing on the server.") == 1
    assert "Import the same photo again to repair it. Until then, annotators do not get it." in text
    text = text_of(client_of("rita").get(reverse("photo", args=["watches", images[1].pk])))
    assert "The thumbnail of this photo is damaged" in text
    assert "An admin can import the same photo again" in text
    text = text_of(client_of("ada").get(reverse("photo", args=["watches", images[2].pk])))
    assert "missing" not in text
    assert "File checked" in text


def test_the_gallery_marks_the_photos(client_of: Any, images: list[Image]) -> None:
    text = text_of(client_of("rita").get(GALLERY))
    assert text.count("file missing") == 1
    assert text.count("file damaged") == 1


def test_the_list_of_problems_has_no_button_for_them(client_of: Any, images: list[Image]) -> None:
    client = client_of("ada")
    page = client.get(reverse("special-photos", args=["watches"]), {"show": "problem"})
    assert "The file of this photo is missing on the server." in text_of(page)
    assert "Put back into the queue" not in text_of(page)
    again = client.post(reverse("photo-requeue", args=["watches", images[0].pk]), follow=True)
    assert "Then it comes back by itself." in text_of(again)
    assert Image.objects.get(pk=images[0].pk).problem


def test_the_result_of_an_import_tells_the_repair(client_of: Any, images: list[Image], source: Path) -> None:
    batch = folder_import(campaign=images[0].campaign, source=source)
    text = text_of(client_of("ada").get(reverse("import-batch", args=["watches", batch.pk])))
    assert "2 photos were missing or damaged on the server and are repaired." in text
    text = text_of(client_of("ada").get(CAMPAIGN))
    assert "missing or damaged" not in text


def test_the_import_command_tells_the_repair(images: list[Image], source: Path) -> None:
    out = io.StringIO()
    call_command("import_images", "watches", str(source), stdout=out, stderr=io.StringIO())
    assert "2 photos were missing or damaged on the server and repaired." in out.getvalue()


@pytest.mark.parametrize("place", ["photo-original", "photo-thumbnail"])
def test_a_request_for_a_missing_file_lets_the_check_begin_with_it(
    client_of: Any, images: list[Image], place: str
) -> None:
    photo_path(images[2]).unlink()
    thumbnail_path(images[2]).unlink()
    assert client_of("alice").get(reverse(place, args=[images[2].pk])).status_code == 404
    assert PhotoFile.objects.get(checked_at=None).sha256 == images[2].sha256


# --- model files ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "sees"), [("alice", False), ("rita", False), ("ada", True)])
def test_the_home_page_names_a_champion_without_file(client_of: Any, campaign: Campaign, name: str, sees: bool) -> None:
    version = version_make(campaign)
    text = text_of(client_of(name).get(HOME))
    assert ("The champion of Watches cannot predict." in text) == sees
    assert (f"The model file {version.path / 'heads.onnx'} cannot be read" in text) == sees


def test_the_models_page_and_the_overview_name_it(client_of: Any, images: list[Image], campaign: Campaign) -> None:
    version_make(campaign, 1, champion=False)
    version_make(campaign, 2)
    text = text_of(client_of("rita").get(MODELS))
    assert "The champion, version 2, cannot predict." in text
    assert text.count("cannot be read (No such file or directory); restore it from a backup.") == 3  # and on both cards
    assert "There are no new predictions. The model file" in text_of(client_of("rita").get(CAMPAIGN))


def test_site_problems_are_on_the_home_page_and_the_models_page(
    client_of: Any, campaign: Campaign, settings: Any
) -> None:
    settings.IQS_BACKBONE_WEIGHTS = "/does/not/exist.pth"
    for name, path, sees in [("ada", HOME, True), ("rita", MODELS, True), ("alice", HOME, False)]:
        text = text_of(client_of(name).get(path))
        assert ("New photos are not processed. The weight file /does/not/exist.pth" in text) == sees


def test_undamaged_files_are_not_mentioned(client_of: Any, campaign: Campaign) -> None:
    for path in (HOME, CAMPAIGN, MODELS):
        assert "damaged" not in text_of(client_of("ada").get(path))


def test_the_home_page_takes_the_same_queries_for_many_campaigns(
    client_of: Any, people: dict[str, Any], campaign: Campaign
) -> None:
    client = client_of("ada")
    version_make(campaign)
    with CaptureQueriesContext(
        connection,
    ) as one:
        client.get(HOME)
    for number in range(5):
        other = Campaign.objects.create(slug=f"other-{number}", name=f"Other {number}")
        other.memberships.create(user=people["ada"], role="admin")
        version_make(other)
    with CaptureQueriesContext(connection) as six:
        client.get(HOME)
    assert len(six) == len(one)


# --- verify_media ---------------------------------------------------------------------------------


def verify(*words: str) -> tuple[str, int]:
    out = io.StringIO()
    try:
        call_command("verify_media", *words, stdout=out, stderr=io.StringIO())
    except CommandError as error:
        return out.getvalue(), error.returncode
    return out.getvalue(), 0


def test_verify_media_lists_what_is_wrong_and_ends_with_status_1(images: list[Image], source: Path) -> None:
    out, status = verify()
    assert status == 1
    assert "watches: photo-0.jpg: The file of this photo is missing on the server." in out
    assert "3 photos: 1 originals and 1 thumbnails missing or damaged, 0 thumbnails repaired." in out
    out, status = verify("--repair-thumbnails")
    assert (status, "1 thumbnails repaired" in out) == (1, True)
    folder_import(campaign=images[0].campaign, source=source)
    assert verify() == (
        "3 photos: 0 originals and 0 thumbnails missing or damaged, 0 thumbnails repaired. "
        "0 problems with other files.\n",
        0,
    )


def test_verify_media_finds_uploads_and_versions(campaign: Campaign, settings: Any) -> None:
    version_make(campaign)
    ImportBatch.objects.create(campaign=campaign, source="upload", state="queued", received=2)
    exported = Path(settings.MODELS_ROOT) / "backbones" / "one.onnx"
    exported.parent.mkdir(parents=True)
    exported.write_bytes(b"graph")
    exported.with_name("one.onnx.sha256").write_text("0" * 64)
    out, status = verify()
    assert status == 1
    assert "watches, version 1: The model file" in out
    assert "watches: 2 of 2 files of upload" in out
    assert f"The exported file {exported} is damaged. It is exported again when it is needed." in out


def test_verify_media_continues_after_an_interruption(images: list[Image], monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(**options: Callable[..., Any]) -> None:
        FileCheck.objects.update(position=images[0].pk)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(verify_media, "photo_files_verify", interrupted)  # as Ctrl-C would
        with pytest.raises(CommandError, match="Run the command again to continue"):
            call_command("verify_media", stdout=io.StringIO(), stderr=io.StringIO())
    checked = PhotoFile.objects.get(sha256=images[0].sha256).checked_at
    verify()
    assert PhotoFile.objects.get(sha256=images[0].sha256).checked_at == checked
    verify("--restart")
    assert PhotoFile.objects.get(sha256=images[0].sha256).checked_at > checked
