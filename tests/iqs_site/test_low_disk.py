"""A disk that is nearly full: notices, the answer of `/ready`, refusals, and a request that meets a full disk."""

import errno
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.urls import reverse
from psycopg.errors import DiskFull
from psycopg.errors import SyntaxError as SqlSyntaxError

from annotation.files.free_space import disks_of
from annotation.models import Campaign, ImportBatch
from annotation.services.batches import folder_import
from annotation.services.disk_space import space_refusal
from inference.services.scoring_jobs import scoring_job_create
from inference.services.scoring_quota import ScoringRefused
from iqs_site.middleware import FullDiskMiddleware
from tests.conftest import photo_bytes

PLENTY = 10**18
MEGABYTE = 1024**2


@pytest.fixture
def low_disk(settings: Any) -> None:
    """Ask for more free space than any disk has, so that the disks of this machine count as nearly full."""
    settings.IQS_LOW_DISK_BYTES = PLENTY


@pytest.mark.parametrize(("name", "sees"), [("ada", True), ("rita", False), ("alice", False), ("mallory", False)])
def test_admins_see_a_notice_on_the_home_page(
    name: str, sees: bool, client_of: Callable[[str], Any], low_disk: None
) -> None:
    page = client_of(name).get("/").content.decode()
    assert ("is nearly full" in page) == sees
    assert page.count("is nearly full") == sees  # one disk has all folders


def test_staff_see_the_notice_too(client_of: Callable[[str], Any], people: dict[str, Any], low_disk: None) -> None:
    people["mallory"].is_staff = True
    people["mallory"].save()
    assert "uploads and logs, photos, models" in client_of("mallory").get("/").content.decode()


def test_without_a_full_disk_there_is_no_notice(client_of: Callable[[str], Any], settings: Any) -> None:
    settings.IQS_LOW_DISK_BYTES = 0
    assert "is nearly full" not in client_of("ada").get("/").content.decode()


@pytest.mark.django_db
def test_the_readiness_endpoint_warns_and_stays_ready(client: Client, low_disk: None, settings: Any) -> None:
    answer = client.get("/ready")
    assert answer.status_code == 200
    assert answer.json()["ok"] is True
    disk, broker = answer.json()["warnings"]
    assert disk.startswith(tuple("0123456789"))
    assert "MB are left on the disk of uploads and logs, photos, models." in disk
    assert str(settings.MEDIA_ROOT) not in disk  # anonymous visitors learn no paths
    assert broker == "The broker does not answer. Jobs wait in the database."


@pytest.mark.django_db
def test_the_readiness_endpoint_takes_no_posts(client: Client) -> None:
    assert client.post("/ready").status_code == 405


def test_an_import_is_refused_before_it_begins(
    client_of: Callable[[str], Any], campaign: Campaign, tmp_path: Path, low_disk: None
) -> None:
    answer = client_of("ada").post(reverse("import-start", args=["watches"]))
    assert answer.status_code == 507
    assert answer.json()["detail"].startswith("Photos cannot be imported now: the server's disk is too full: ")
    assert not ImportBatch.objects.exists()

    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.jpg").write_bytes(photo_bytes(1))
    batch = folder_import(campaign=campaign, source=tmp_path / "photos")
    assert batch.state == ImportBatch.State.FAILED
    assert batch.message.startswith("The files cannot be stored: the server's disk is too full: ")
    assert not campaign.images.exists()


def test_photos_to_score_are_refused(people: dict[str, Any], low_disk: None) -> None:
    with pytest.raises(ScoringRefused, match=r"^The photos cannot be scored now: the server's disk is too full: "):
        scoring_job_create(user=people["alice"], uploads=[SimpleUploadedFile("a.jpg", b"x")])


def test_a_photo_needs_room_as_an_upload_and_as_a_photo(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.IQS_LOW_DISK_BYTES = 100 * MEGABYTE
    # A disk of an exact size cannot be had everywhere.
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": 120 * MEGABYTE})())
    assert space_refusal(size=10 * MEGABYTE) == ""
    assert space_refusal(size=11 * MEGABYTE) == (
        "the server's disk is too full: 120 MB are free, and 100 MB stay free for answers"
    )


def test_each_disk_is_listed_once(tmp_path: Path) -> None:
    (disk,) = disks_of({"photos": tmp_path / "not" / "there yet", "models": tmp_path})
    assert disk.contents == ("photos", "models")
    other = disks_of({"photos": tmp_path, "shared memory": Path("/dev/shm")})
    assert [one.contents for one in other] in ([("photos",), ("shared memory",)], [("photos", "shared memory")])


def database_error(cause: Exception) -> OperationalError:
    error = OperationalError("could not extend file")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "is_full"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), True),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), True),
        (database_error(DiskFull()), True),
        (OSError(errno.EACCES, "Permission denied"), False),
        (database_error(SqlSyntaxError()), False),
        (ValueError("other"), False),
    ],
)
def test_a_request_that_meets_a_full_disk_gets_one_sentence(error: Exception, is_full: bool) -> None:
    middleware = FullDiskMiddleware(lambda request: HttpResponse())
    answer = middleware.process_exception(RequestFactory().post("/api/score"), error)
    page = middleware.process_exception(RequestFactory().get("/"), error)
    if not is_full:
        assert answer is page is None
        return
    assert answer is not None
    assert page is not None
    assert answer.status_code == page.status_code == 507
    assert answer.content == b'{"detail": "The server\'s disk is full. Try again later."}'
    assert "disk is full" in page.content.decode()
