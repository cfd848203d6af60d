"""Scoring jobs, by page and API: private to the user, photos are not kept, every failure is reported."""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from PIL import Image

from inference import api
from inference.services import scoring_jobs
from inference.services.scoring_jobs import scoring_job_create, scoring_job_find, scoring_jobs_sweep
from inference.services.scoring_models import ScoringModel
from inference.services.scoring_quota import ScoringRefused
from inference.tasks import scoring_job_run
from tests.annotation.bad_files import encoded, png_header
from tests.conftest import photo_bytes
from tests.inference.tiny_models import tiny_models_place

pytestmark = pytest.mark.django_db
Client = Callable[[str], Any]


@pytest.fixture(autouse=True)
def _tiny_models(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny_models_place(settings.MODELS_ROOT)
    monkeypatch.setattr(api, "WAIT_SECONDS", 0.0)


def upload(name: str = "a.jpg", data: bytes | None = None) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, photo_bytes(1) if data is None else data)


def folders(settings: Any) -> list[Path]:
    return sorted((settings.UPLOADS_ROOT / "scoring").glob("*/*"))


def worker_run(settings: Any) -> None:
    """Score all queued photos, as a worker does."""
    for folder in folders(settings):
        scoring_job_run(int(folder.parent.name), folder.name)


# --- access ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["alice", "rita", "ada", "mallory"])
def test_every_user_may_send_photos(client_of: Client, name: str) -> None:
    client = client_of(name)
    assert client.get("/score/").status_code == 200
    sent = client.post("/score/", {"photos": [upload()]})
    assert sent.status_code == 302
    assert client.get(sent.url).status_code == 200
    assert client.post("/api/score", {"files": [upload()]}).status_code == 202


def test_anonymous_visitors_may_not_send_photos(client_of: Client, settings: Any) -> None:
    client = client_of("anonymous")
    assert client.get("/score/").status_code == 302
    assert client.post("/score/", {"photos": [upload()]}).url.startswith("/accounts/login/")
    assert client.post("/api/score", {"files": [upload()]}).status_code == 401
    assert client.get("/api/score/0").status_code == 401
    assert client.get("/workers").status_code == 302
    assert not folders(settings)


def test_users_see_their_own_jobs_only(client_of: Client, settings: Any) -> None:
    ticket = client_of("alice").post("/api/score", {"files": [upload()]}).json()["ticket"]
    worker_run(settings)
    assert client_of("alice").get(f"/api/score/{ticket}").status_code == 200
    assert client_of("ada").get(f"/api/score/{ticket}").status_code == 404
    assert client_of("ada").get(f"/score/{ticket}/").url == "/score/"


@pytest.mark.parametrize("ticket", ["..", "0", "a%2Fb", "names.json"])
def test_an_invalid_ticket_is_not_found(client_of: Client, ticket: str) -> None:
    assert client_of("alice").get(f"/api/score/{ticket}").status_code == 404


def test_the_page_queries_session_user_and_limit_only(client_of: Client, settings: Any) -> None:
    client = client_of("alice")
    address = client.post("/score/", {"photos": [upload(f"{number}.jpg") for number in range(10)]}).url
    worker_run(settings)
    with CaptureQueriesContext(connection) as captured:
        client.get(address)
    assert len(captured) == 4  # session, user, versions to choose from, what the user has sent in this hour
    with CaptureQueriesContext(connection) as captured:
        client.get(address, headers={"HX-Request": "true"})  # every 700 ms
    assert len(captured) == 2  # session, user


# --- results ----------------------------------------------------------------------------------


def test_a_photo_is_scored_and_not_kept(client_of: Client, settings: Any) -> None:
    client = client_of("alice")
    address = client.post("/score/", {"photos": [upload("<i>holiday.jpg")]}).url
    waiting = client.get(address).content.decode()
    assert "Waiting for a worker" in waiting
    assert 'hx-trigger="every 700ms"' in waiting
    worker_run(settings)
    html = client.get(address, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in html
    assert "hx-trigger" not in html
    for part in ("quality: mean", "watch probability", "analog clock", "blur", "compression", "data:image/webp"):
        assert part in html
    assert "&lt;i&gt;holiday.jpg" in html
    assert [file.suffix for file in folders(settings)[0].iterdir() if file.suffix == ".photo"] == []


def test_the_api_returns_the_same_row_as_the_command(client_of: Client, settings: Any, tmp_path: Path) -> None:
    from django.core.management import call_command

    (tmp_path / "a.jpg").write_bytes(photo_bytes(3))
    call_command("score", str(tmp_path / "a.jpg"), "--parts", "--jsonl", str(tmp_path / "rows"))
    expected = json.loads((tmp_path / "rows").read_text())
    client = client_of("alice")
    first = client.post("/api/score", {"files": [upload("a.jpg", photo_bytes(3))]})
    assert (first.status_code, first.json()["waiting"], first.json()["rows"]) == (202, 1, [])
    worker_run(settings)
    answer = client.get(f"/api/score/{first.json()['ticket']}")
    assert answer.status_code == 200
    (row,) = answer.json()["rows"]
    assert row == {**expected, "file": "a.jpg"}
    assert list(row) == list(expected)


def test_the_api_waits_for_the_rows(client_of: Client, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "WAIT_SECONDS", 120.0)
    monkeypatch.setattr(api, "announce", lambda task, user_id, key: scoring_job_run(user_id, key))
    answer = client_of("alice").post("/api/score", {"files": [upload(), upload("b.jpg")]})
    assert answer.status_code == 200
    assert [row["file"] for row in answer.json()["rows"]] == ["a.jpg", "b.jpg"]


def test_bad_photos_are_refused_one_by_one(client_of: Client, settings: Any) -> None:
    settings.IQS_MAX_FILE_BYTES = 1024 * 1024
    files = [
        upload("text.jpg", b"text"),
        upload("empty.jpg", b""),
        upload("large.jpg", b"x" * (1024 * 1024 + 1)),
        upload("huge.png", png_header(20_000, 20_000)),
        upload("good.png", encoded(Image.new("RGB", (64, 64), "teal"), "PNG")),
    ]
    ticket = client_of("alice").post("/api/score", {"files": files}).json()["ticket"]
    worker_run(settings)
    rows = client_of("alice").get(f"/api/score/{ticket}").json()["rows"]
    reasons = {row["file"]: row["reason"] for row in rows}
    assert reasons["text.jpg"].startswith("Not a photo")
    assert reasons["empty.jpg"] == "The file is empty."
    assert reasons["large.jpg"] == "The file is larger than the 1 MB allowed."
    assert "megapixels" in reasons["huge.png"]
    assert reasons["good.png"] == ""
    html = client_of("alice").get(f"/score/{ticket}/").content.decode()
    assert html.count("not scored") == 4


@pytest.mark.parametrize(("count", "sentence"), [(0, "Choose a photo first"), (21, "more than the 20")])
def test_no_photos_and_too_many_are_refused(client_of: Client, count: int, sentence: str) -> None:
    page = client_of("alice").post("/score/", {"photos": [upload() for _ in range(count)]})
    assert page.status_code == 422
    assert sentence in page.content.decode()
    answer = client_of("alice").post("/api/score", {"files": [upload() for _ in range(count)]})
    assert answer.status_code == 422


def test_a_user_with_too_many_queued_jobs_is_refused(people: dict[str, Any], settings: Any) -> None:
    for _ in range(5):
        scoring_job_create(user=people["alice"], uploads=[upload()])
    with pytest.raises(ScoringRefused, match="still waiting for a worker"):
        scoring_job_create(user=people["alice"], uploads=[upload()])
    scoring_job_create(user=people["bob"], uploads=[upload()])
    worker_run(settings)
    scoring_job_create(user=people["alice"], uploads=[upload()])


# --- failures -----------------------------------------------------------


def test_a_late_job_shows_a_message(client_of: Client, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    client = client_of("alice")
    ticket = client.post("/api/score", {"files": [upload()]}).json()["ticket"]
    assert client.get(f"/api/score/{ticket}").json()["detail"] == ""
    monkeypatch.setattr(scoring_jobs, "_PATIENCE_SECONDS", -1)
    assert "Is a worker running" in client.get(f"/api/score/{ticket}").json()["detail"]
    assert "/workers" in client.get(f"/score/{ticket}/").content.decode()


def test_a_missing_worker_is_reported(client_of: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from iqs_site import overview

    monkeypatch.setattr(overview, "broker_alive", lambda: True)
    monkeypatch.setattr(overview, "workers_alive", list)
    assert "No worker is running" in client_of("mallory").get("/workers").content.decode()


def test_unclaimed_jobs_are_announced_again(people: dict[str, Any], settings: Any) -> None:
    key = scoring_job_create(user=people["alice"], uploads=[upload()])
    assert scoring_jobs_sweep() == []
    _make_older(folders(settings)[0], 20)
    assert scoring_jobs_sweep() == [(people["alice"].pk, key)]
    worker_run(settings)
    assert scoring_jobs_sweep() == []


def test_photos_fail_after_three_attempts(people: dict[str, Any], settings: Any) -> None:
    key = scoring_job_create(user=people["alice"], uploads=[upload(), upload("b.jpg")])
    (folder,) = folders(settings)
    (folder / "attempts").write_text("3")
    worker_run(settings)
    found = scoring_job_find(user=people["alice"], key=key)
    assert found is not None
    assert found.waiting == 0
    assert all("Given up after 3 attempts" in str(file.cells and file.cells["reason"]) for file in found.files)
    assert not list(folder.glob("*.photo"))


def test_existing_results_are_not_computed_again(people: dict[str, Any], settings: Any) -> None:
    scoring_job_create(user=people["alice"], uploads=[upload(), upload("b.jpg")])
    (folder,) = folders(settings)
    done = folder / "0.json"
    done.write_text(json.dumps({"cells": {"reason": "from before"}, "thumbnail": ""}))
    assert scoring_jobs.scoring_job_run(user_id=people["alice"].pk, key=folder.name, scorer=ScoringModel.scorer) == 1
    assert "from before" in done.read_text()


def test_only_one_worker_claims_a_job(people: dict[str, Any], settings: Any) -> None:
    scoring_job_create(user=people["alice"], uploads=[upload()])
    (folder,) = folders(settings)
    with scoring_jobs.file_claim(folder / ".lock") as claimed:
        assert claimed
        assert scoring_job_run(people["alice"].pk, folder.name) == 0
    assert scoring_job_run(people["alice"].pk, folder.name) == 1
    assert scoring_job_run(people["alice"].pk, "gone") == 0


def test_a_model_that_cannot_be_loaded_is_reported(people: dict[str, Any], settings: Any) -> None:
    from inference.networks.model_files import ModelFileError

    def no_scorer(model: Any) -> Any:
        raise ModelFileError("The file is missing.")

    key = scoring_job_create(user=people["alice"], uploads=[upload()])
    scoring_jobs.scoring_job_run(user_id=people["alice"].pk, key=key, scorer=no_scorer)
    found = scoring_job_find(user=people["alice"], key=key)
    assert found is not None
    assert found.files[0].cells is not None
    assert found.files[0].cells["reason"] == "The model cannot be loaded: The file is missing."


def test_old_and_incomplete_jobs_are_deleted(people: dict[str, Any], settings: Any) -> None:
    scoring_job_create(user=people["alice"], uploads=[upload()])
    (folder,) = folders(settings)
    incomplete = folder.with_name(".half")
    incomplete.mkdir()
    _make_older(folder, 1000)
    _make_older(incomplete, 1000)
    assert scoring_jobs_sweep() == []
    assert not (settings.UPLOADS_ROOT / "scoring" / str(people["alice"].pk)).exists()


def test_an_interrupted_upload_leaves_nothing(people: dict[str, Any], settings: Any) -> None:
    class BrokenUpload:
        name, size = "a.jpg", 3

        def chunks(self) -> Any:
            yield b"abc"
            raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        scoring_job_create(user=people["alice"], uploads=[BrokenUpload()])
    assert folders(settings) == []


def _make_older(folder: Path, seconds: float) -> None:
    then = time.time() - seconds
    for path in (*folder.iterdir(), folder):
        os.utime(path, (then, then))
