"""The upload gate of a campaign, by API: who may use it, what it answers, and what it refuses."""

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from annotation.measures.figures_text import figures_text
from annotation.models import ApiToken, Campaign, HourlyUse
from annotation.services.tokens import token_create
from inference.decisions.calibration import Calibration, Tolerances
from inference.decisions.limits import Limits
from inference.models import DecisionRule, DecisionRun, ModelVersion
from inference.scoring.rows import Rules
from inference.services.scoring_jobs import scoring_job_create
from inference.services.scoring_models import ScoringModel, model_of
from inference.services.upload_gate import class_probabilities, gate_answer
from inference.tasks import scoring_job_run
from tests.annotation.bad_files import BAD, encoded
from tests.conftest import photo_bytes
from tests.inference.tiny_models import tiny_models_place
from tests.inference.tiny_versions import BACKBONE, version_of

pytestmark = pytest.mark.django_db
ADDRESS = "/api/campaigns/watches/gate"
Client = Callable[[str], Any]
LIMITS = Limits(
    accept_from=6.5,
    reject_below=3.0,
    watch_from=0.8,
    no_watch_below=0.1,
    half_width=1.5,
    confidence=0.95,
    calibrated_on=1234,
)
TOLERANCES = Tolerances(accepted=0.02, rejected=None, watch=None, missed=0.05, score_points=1.5)


@pytest.fixture(autouse=True)
def _no_waiting(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny_models_place(settings.MODELS_ROOT)
    monkeypatch.setattr("inference.api_gate.WAIT_SECONDS", 0.0)


@pytest.fixture
def version(campaign: Campaign) -> ModelVersion:
    Campaign.objects.update(backbone=BACKBONE)
    campaign.refresh_from_db()
    return version_of(campaign, 3, champion=True, threshold=0.5)


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Score each photo as soon as it is sent, because no worker runs beside the tests."""
    monkeypatch.setattr("inference.api_gate.announce", lambda task, *arguments: task(*arguments))


def upload(data: bytes, name: str = "a.jpg") -> dict[str, Any]:
    return {"file": SimpleUploadedFile(name, data)}


def grey(level: int) -> bytes:
    """Return a flat photo. The tiny model gives bright photos a high score, and flat ones a high watch probability."""
    return encoded(Image.new("RGB", (64, 64), (level, level, level)), "PNG")


# --- access ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "status"), [("anonymous", 401), ("mallory", 404), ("alice", 403), ("rita", 202), ("ada", 202)]
)
def test_reviewers_and_admins_may_use_it(client_of: Client, version: ModelVersion, name: str, status: int) -> None:
    assert client_of(name).post(ADDRESS, upload(photo_bytes(1))).status_code == status


@pytest.mark.parametrize(
    ("name", "scope", "status"), [("rita", "read", 403), ("rita", "annotate", 202), ("alice", "admin", 403)]
)
def test_a_token_needs_the_scope_annotate_and_a_reviewer(
    client_of: Client, people: dict[str, Any], version: ModelVersion, name: str, scope: str, status: int
) -> None:
    _, secret = token_create(user=people[name], name="shop", scope=ApiToken.Scope(scope), days=1)
    headers = {"Authorization": f"Bearer {secret}"}
    answer = client_of("anonymous").post(ADDRESS, upload(photo_bytes(1)), headers=headers)
    assert answer.status_code == status


@pytest.mark.parametrize(("name", "status"), [("anonymous", 401), ("mallory", 404), ("alice", 403), ("ada", 404)])
def test_a_ticket_belongs_to_the_user_who_sent_the_photo(
    client_of: Client, version: ModelVersion, name: str, status: int
) -> None:
    ticket = client_of("rita").post(ADDRESS, upload(photo_bytes(1))).json()["ticket"]
    assert client_of("rita").get(f"{ADDRESS}/{ticket}").status_code == 202
    assert client_of(name).get(f"{ADDRESS}/{ticket}").status_code == status


def test_a_ticket_of_the_shipped_model_is_none_of_the_campaign(
    client_of: Client, version: ModelVersion, people: dict[str, Any]
) -> None:
    files = [SimpleUploadedFile("a.jpg", photo_bytes(1))]
    assert (
        client_of("rita").get(f"{ADDRESS}/{scoring_job_create(user=people['rita'], uploads=files)}").status_code == 404
    )


# --- answers -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("level", "decision"), [(250, "accepted"), (5, "rejected")])
@pytest.mark.usefixtures("worker")
def test_the_limits_of_the_campaign_decide(
    client_of: Client, version: ModelVersion, settings: Any, level: int, decision: str
) -> None:
    response = client_of("rita").post(ADDRESS, upload(grey(level)))
    assert response.status_code == 200
    answer = response.json()
    assert answer["decision"] == decision
    assert (answer["version"], answer["stored"], answer["guarantee"]) == (3, False, None)
    assert "No guarantee" in answer["guarantee_text"]
    assert answer["quality"]["interval"] is None
    assert (answer["quality"]["lowest"], answer["quality"]["highest"]) == (1, 10)
    assert answer["class_probabilities"][decision] == max(answer["class_probabilities"].values())
    assert sum(answer["class_probabilities"].values()) == pytest.approx(1)
    assert answer["watch"] == {"decision": "yes", "probability": pytest.approx(1, abs=0.01)}
    sentence = "above 6." if decision == "accepted" else "at most 5."
    assert answer["reasons"][0].endswith(sentence)
    assert answer["distortions"]["worst"] == "exposure"
    assert answer["reasons"][2].startswith("Too dark or too bright: ")
    assert list((settings.UPLOADS_ROOT / "scoring").glob("*/*")) == []  # neither the photo nor the answer is kept


@pytest.mark.usefixtures("worker")
def test_a_photo_may_be_the_body_of_the_request(client_of: Client, version: ModelVersion) -> None:
    client, data = client_of("rita"), photo_bytes(1)
    sent = client.post(ADDRESS, upload(data)).json()
    assert client.post(ADDRESS, data, content_type="image/jpeg").json() == sent
    assert client.post(ADDRESS, data, content_type="application/octet-stream").json() == sent


def test_a_slow_worker_gives_a_ticket(client_of: Client, version: ModelVersion, people: dict[str, Any]) -> None:
    client = client_of("rita")
    waiting = client.post(ADDRESS, upload(photo_bytes(1)))
    assert waiting.status_code == 202
    ticket = waiting.json()["ticket"]
    assert scoring_job_run(people["rita"].pk, ticket) == 1
    for _ in range(2):  # an answer that was lost on the way can be asked for again
        answer = client.get(f"{ADDRESS}/{ticket}")
        assert answer.status_code == 200
        assert answer.json()["decision"] in {"accepted", "pending", "rejected"}


def test_a_worker_survives_that_the_answered_job_is_deleted(
    version: ModelVersion, people: dict[str, Any], monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    """The program has its answer before the worker has finished its own work on the job."""
    import shutil

    from inference.services import scoring_jobs

    files = [SimpleUploadedFile("a.jpg", photo_bytes(1))]
    key = scoring_job_create(user=people["rita"], uploads=files, model=model_of(version), has_thumbnails=False)
    folder = settings.UPLOADS_ROOT / "scoring" / str(people["rita"].pk) / key
    # The moment between the last result and the end of the turn cannot be hit from outside.
    monkeypatch.setattr(scoring_jobs, "quota_add", lambda **amount: shutil.rmtree(folder))
    assert scoring_job_run(people["rita"].pk, key) == 1


# --- refusals ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", BAD)
@pytest.mark.usefixtures("worker")
def test_files_that_are_no_photo_are_refused_with_the_reason(
    client_of: Client, version: ModelVersion, name: str
) -> None:
    data, reason = BAD[name]
    for sent in (
        client_of("rita").post(ADDRESS, upload(data, name)),
        client_of("rita").post(ADDRESS, data, content_type="image/jpeg", CONTENT_TYPE="image/jpeg"),
    ):
        assert sent.status_code == 422
        assert reason in sent.json()["detail"]


@pytest.mark.parametrize(
    ("files", "status", "detail"),
    [
        ({}, 422, "exactly one photo"),
        ({"photo": [b"x"]}, 422, "exactly one photo"),
        ({"file": [b"x", b"y"]}, 422, "exactly one photo"),
        ({"file": [b"x"], "other": [b"y"]}, 422, "exactly one photo"),
        ({"file": [b"x" * 1001]}, 413, "larger than"),
    ],
)
def test_wrong_uploads_are_refused(
    client_of: Client, version: ModelVersion, settings: Any, files: dict[str, list[bytes]], status: int, detail: str
) -> None:
    settings.IQS_MAX_FILE_BYTES = 1000
    data = {name: [SimpleUploadedFile("a.jpg", content) for content in several] for name, several in files.items()}
    answer = client_of("rita").post(ADDRESS, data)
    assert answer.status_code == status
    assert detail in answer.json()["detail"]


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "application/x-www-form-urlencoded"])
def test_other_content_types_are_refused(client_of: Client, version: ModelVersion, kind: str) -> None:
    answer = client_of("rita").post(ADDRESS, b"{}", content_type=kind)
    assert answer.status_code == 415
    assert "image/jpeg" in answer.json()["detail"]


def test_a_campaign_without_a_usable_model_says_so(client_of: Client, version: ModelVersion) -> None:
    Campaign.objects.update(scale_max=5)
    answer = client_of("rita").post(ADDRESS, upload(photo_bytes(1)))
    assert answer.status_code == 409
    ModelVersion.objects.all().delete()
    assert client_of("rita").post(ADDRESS, upload(photo_bytes(1))).status_code == 409
    page = client_of("rita").get("/campaigns/watches/gate/").text
    assert "No model yet" in page
    assert 'type="file"' not in page


@pytest.mark.usefixtures("worker")
def test_a_damaged_model_is_no_fault_of_the_photo(client_of: Client, version: ModelVersion) -> None:
    ModelVersion.objects.update(checksum="0" * 64)
    answer = client_of("rita").post(ADDRESS, upload(photo_bytes(1)))
    assert answer.status_code == 503
    assert "The model cannot be loaded" in answer.json()["detail"]


def test_too_many_photos_are_told_when_to_come_back(client_of: Client, version: ModelVersion, settings: Any) -> None:
    client = client_of("rita")
    for _ in range(5):
        assert client.post(ADDRESS, upload(photo_bytes(1))).status_code == 202
    busy = client.post(ADDRESS, upload(photo_bytes(1)))
    assert (busy.status_code, busy["Retry-After"]) == (429, "1")
    settings.IQS_SCORED_PHOTOS_PER_HOUR = 1
    used_up = client_of("ada").post(ADDRESS, upload(photo_bytes(1)))
    assert used_up.status_code == 202
    used_up = client_of("ada").post(ADDRESS, upload(photo_bytes(1)))
    assert used_up.status_code == 429
    assert 0 < int(used_up["Retry-After"]) <= 3600
    assert HourlyUse.objects.filter(kind=HourlyUse.Kind.SCORED_PHOTOS, user__username="ada").get().amount == 1


# --- the decision ------------------------------------------------------------------------------------


def row(mean: float, watch: float, **severities: float) -> dict[str, Any]:
    """Return a row on the scale 1-10: of ten people, two give 5, three give 6, and five give 7."""
    shares = {f"q{score}": {5: 0.2, 6: 0.3, 7: 0.5}.get(score, 0.0) for score in range(1, 11)}
    measured = dict.fromkeys(("blur", "noise", "exposure", "compression"), 0.0) | severities
    return {"quality_mean": mean, "quality_std": 0.8, "watch_probability": watch, **shares, **measured}


@pytest.mark.parametrize(
    ("mean", "watch", "decision", "said", "interval"),
    [
        (6.5, 0.9, "accepted", "yes", (5.0, 8.0)),
        (6.4, 0.5, "pending", "unsure", (4.9, 7.9)),
        (2.0, 0.05, "rejected", "no", (1.0, 3.5)),
        (9.5, 0.05, "accepted", "no", (8.0, 10.0)),
    ],
)
def test_under_a_guarantee_its_limits_decide(
    mean: float, watch: float, decision: str, said: str, interval: tuple[float, float]
) -> None:
    answer = gate_answer(row(mean, watch), ScoringModel("v", Rules((1,)), limits=LIMITS, tolerances=TOLERANCES))
    assert (answer.decision, answer.watch) == (decision, said)
    assert answer.interval == pytest.approx(interval)
    assert answer.guarantee_text == (
        "Guaranteed for photos like those of the campaign, with a confidence of 95 %, calibrated on 1,234 photos: at "
        "most 2 % of the accepted photos are not acceptable; at most 5 % of the watches are called no watch; for 90 % "
        "of the photos, the score is within 1.5 points."
    )


@pytest.fixture
def guarantee(campaign: Campaign, version: ModelVersion) -> DecisionRun:
    """Return a calibration of the champion by which the model decides."""
    DecisionRule.objects.create(campaign=campaign, is_on=True, accepted=0.02, missed=0.05, score_points=1.5)
    return DecisionRun.objects.create(
        campaign=campaign,
        rule_number=1,
        model_version=version,
        class_limits=[campaign.reject_at, campaign.pending_at],
        figures=figures_text(Calibration(LIMITS, ())),
    )


@pytest.mark.usefixtures("worker")
def test_the_calibrated_limits_of_the_champion_decide(client_of: Client, guarantee: DecisionRun) -> None:
    answer = client_of("rita").post(ADDRESS, upload(grey(250))).json()
    assert answer["guarantee"] == {
        **asdict(LIMITS),
        "tolerances": {"accepted": 0.02, "missed": 0.05, "score_points": 1.5, "score_share": 0.9},
    }
    assert answer["decision"] == "accepted"
    assert answer["reasons"][0].endswith("is at least 6.50.")
    low, high = answer["quality"]["interval"]
    assert low == pytest.approx(answer["quality"]["score"] - 1.5)
    assert high == 10


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"rule_number": 2}, "is not calibrated yet"),
        ({"pause": "drift"}, "deciding is paused"),
        ({"class_limits": [1, 2]}, "limits of the classes have changed"),
    ],
)
@pytest.mark.usefixtures("worker")
def test_a_guarantee_that_no_longer_holds_is_not_given(
    client_of: Client, guarantee: DecisionRun, change: dict[str, Any], words: str
) -> None:
    DecisionRun.objects.update(**change)
    answer = client_of("rita").post(ADDRESS, upload(grey(250))).json()
    assert answer["guarantee"] is None
    assert words in answer["guarantee_text"]
    assert answer["reasons"][0].endswith("is above 6.")


def test_other_versions_than_the_champion_have_no_guarantee(campaign: Campaign, guarantee: DecisionRun) -> None:
    assert model_of(guarantee.model_version).limits == LIMITS
    other = version_of(campaign, 9, champion=False)
    assert model_of(other).limits is None
    assert "champion" in gate_answer(row(6, 0.1), model_of(other)).guarantee_text


def test_a_guarantee_travels_with_the_job(tmp_path: Path) -> None:
    model = ScoringModel("v", Rules((1,)), version_id=1, number=4, limits=LIMITS, tolerances=TOLERANCES, campaign_id=2)
    model.write(tmp_path)
    assert ScoringModel.read(tmp_path) == model
    assert json.loads((tmp_path / "model.json").read_text())["limits"]["calibrated_on"] == 1234


@pytest.mark.parametrize(
    ("limits", "expected"), [((5.0, 6.0), (0.2, 0.3, 0.5)), ((4.9, 5.5), (0, 0.2, 0.8)), ((6.9, 7), (0.5, 0.5, 0))]
)
def test_the_probability_of_a_class_is_that_of_its_scores(
    limits: tuple[float, float], expected: tuple[float, float, float]
) -> None:
    rules = Rules((1,), reject_at=limits[0], pending_at=limits[1])
    assert class_probabilities(row(6, 0.1), rules) == pytest.approx(expected)


def test_noticeable_distortions_are_reasons_with_the_worst_first() -> None:
    answer = gate_answer(row(4, 0.1, blur=0.45, noise=0.81, exposure=0.2), ScoringModel("v", Rules((1,))))
    assert answer.worst_distortion == "noise"
    assert answer.reasons[2:] == (
        "Noisy: 0.81. From 0.6 on, this is strong.",
        "Blurred: 0.45. From 0.3 on, this is clear.",
    )
    assert gate_answer(row(4, 0.1, blur=0.04), ScoringModel("v", Rules((1,)))).worst_distortion == ""
