"""What one user may ask of the scoring workers: told in the page, and as 429 by the API."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from annotation.models import HourlyUse
from inference import api
from inference.services.scoring_jobs import scoring_job_create, scoring_job_find
from inference.services.scoring_quota import ScoringRefused
from inference.services.scoring_waits import waiting
from inference.tasks import scoring_job_run
from tests.annotation.photos.costly_files import flat_png, jpeg_of_scans
from tests.conftest import photo_bytes
from tests.inference.tiny_models import tiny_models_place

pytestmark = pytest.mark.django_db
Client = Callable[[str], Any]


@pytest.fixture(autouse=True)
def _few(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny_models_place(settings.MODELS_ROOT)
    monkeypatch.setattr(api, "WAIT_SECONDS", 0.0)
    settings.IQS_SCORED_PHOTOS_PER_HOUR = 3


def uploads(count: int) -> list[SimpleUploadedFile]:
    return [SimpleUploadedFile(f"{number}.jpg", photo_bytes(number)) for number in range(count)]


def test_the_page_says_how_many_photos_are_left(client_of: Client, settings: Any) -> None:
    client = client_of("alice")
    assert "You can score 3 more photos until" in client.get("/score/").content.decode()
    address = client.post("/score/", {"photos": uploads(2)}).url
    assert "You can score 1 more photo until" in client.get(address).content.decode()
    assert "You can score 3 more photos until" in client_of("bob").get("/score/").content.decode()
    settings.IQS_SCORED_PHOTOS_PER_HOUR = 0
    assert "You can score" not in client.get("/score/").content.decode()


def test_the_page_refuses_more_in_plain_words(client_of: Client) -> None:
    client = client_of("alice")
    client.post("/score/", {"photos": uploads(2)})
    refused = client.post("/score/", {"photos": uploads(2)})
    assert refused.status_code == 429
    assert 1 <= int(refused.headers["Retry-After"]) <= 3600
    assert "You can score 3 photos an hour, and 1 are left." in refused.content.decode()
    assert client.post("/score/", {"photos": uploads(1)}).status_code == 302


def test_the_api_answers_429_with_the_seconds_to_wait(client_of: Client) -> None:
    client = client_of("alice")
    assert client.post("/api/score", {"files": uploads(3)}).status_code == 202
    refused = client.post("/api/score", {"files": uploads(1)})
    assert refused.status_code == 429
    assert 1 <= int(refused.headers["Retry-After"]) <= 3600
    assert list(refused.json()) == ["detail"]
    assert "0 are left" in refused.json()["detail"]
    assert client_of("bob").post("/api/score", {"files": uploads(1)}).status_code == 202
    assert client_of("anonymous").post("/api/score", {"files": uploads(1)}).status_code == 401


def test_the_schema_names_the_limit(client_of: Client) -> None:
    described = client_of("alice").get("/api/openapi.json").json()["paths"]["/api/score"]["post"]["responses"]
    assert "Retry-After" in described["429"]["headers"]
    assert described["429"]["content"]["application/json"]["schema"]["$ref"].endswith("/Problem")
    assert {"200", "202"} <= set(described)


def test_refused_photos_use_nothing_up(client_of: Client, settings: Any) -> None:
    client = client_of("alice")
    assert client.post("/api/score", {"files": uploads(21)}).status_code == 422
    assert not HourlyUse.objects.exists()


def test_the_time_that_photos_take_is_counted_and_limited(client_of: Client, people: dict[str, Any]) -> None:
    client = client_of("alice")
    ticket = client.post("/api/score", {"files": uploads(1)}).json()["ticket"]
    scoring_job_run(people["alice"].pk, ticket)
    seconds = HourlyUse.objects.get(user=people["alice"], kind=HourlyUse.Kind.SCORING_SECONDS)
    assert seconds.amount > 0
    waiting = client.post("/api/score", {"files": uploads(1)}).json()["ticket"]
    seconds.amount = 10_000
    seconds.save()
    scoring_job_run(people["alice"].pk, waiting)
    (row,) = client.get(f"/api/score/{waiting}").json()["rows"]
    assert row["reason"].startswith("Scoring your photos has taken 900 seconds in this hour")
    refused = client.post("/api/score", {"files": uploads(1)})
    assert refused.status_code == 429
    assert "as long as is allowed" in refused.json()["detail"]
    seconds.hour -= timedelta(hours=1)
    seconds.save()
    assert client.post("/api/score", {"files": uploads(1)}).status_code == 202


def test_waiting_photos_of_one_user_fill_no_disk(people: dict[str, Any], settings: Any) -> None:
    settings.IQS_MAX_FILE_BYTES = 1000
    settings.IQS_SCORED_PHOTOS_PER_HOUR = 0
    large = [SimpleUploadedFile(f"{number}.jpg", b"x" * 1000) for number in range(12)]
    scoring_job_create(user=people["alice"], uploads=large)
    with pytest.raises(ScoringRefused, match="still waiting"):
        scoring_job_create(user=people["alice"], uploads=large)
    scoring_job_create(user=people["alice"], uploads=large[:8])
    scoring_job_create(user=people["bob"], uploads=large)


def test_one_user_holds_one_waiting_request(people: dict[str, Any]) -> None:
    with waiting(people["alice"]) as first, waiting(people["alice"]) as second:
        assert (first, second) == (True, False)
        with waiting(people["bob"]) as other:
            assert other
    with waiting(people["alice"]) as again:
        assert again


def test_costly_photos_are_refused_and_the_others_are_scored(people: dict[str, Any]) -> None:
    files = [
        SimpleUploadedFile("flat.png", flat_png(11_000, 10_800)),
        SimpleUploadedFile("scans.jpg", jpeg_of_scans(8000, 3000, 3000)),
        SimpleUploadedFile("good.jpg", photo_bytes(1)),
    ]
    key = scoring_job_create(user=people["alice"], uploads=files)
    assert scoring_job_run(people["alice"].pk, key) == 3
    found = scoring_job_find(user=people["alice"], key=key)
    assert found is not None
    reasons = [str(file.cells and file.cells["reason"]) for file in found.files]
    assert "needs more than the allowed 1,536 MB" in reasons[0]
    assert "8,000 scans" in reasons[1]
    assert reasons[2] == ""
    assert found.files[2].thumbnail.startswith("data:image/webp;base64,")
