"""What an annotator may see about a photo, and when."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4
from xml.etree import ElementTree

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from annotation.models import Annotation, Assignment, ScreeningDecision, User
from annotation.services.annotations import annotation_record
from annotation.services.queue import leases_claim
from inference.models import Prediction

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def photo(campaign: Any, make_image: Callable[..., Any], version_of: Callable[..., Any]) -> Any:
    image = make_image(0)
    Prediction.objects.create(
        image=image,
        model_version=version_of(campaign),
        watch_probability=0.9,
        synset_probabilities=[0.5, 0.4],
        quality_mean=6.2,
        quality_std=1.5,
        distribution=[0.1] * 10,
    )
    return image


@pytest.fixture
def answer(campaign: Any, people: dict[str, Any], photo: Any) -> Callable[..., Annotation]:
    """Return a function that records an answer of the named user to the photo."""

    def record(name: str, score: int | None = 7, skip_reason: str = "") -> Annotation:
        receipt = annotation_record(
            campaign=campaign,
            annotator=people[name],
            image_id=photo.pk,
            client_id=uuid4(),
            watch="" if skip_reason else "yes",
            score=None if skip_reason else score,
            skip_reason=skip_reason,
        )
        return receipt.annotation

    return record


@pytest.fixture
def reveal(client_of: Callable[[str], Any], photo: Any) -> Callable[[str], Any]:
    """Return a function that requests the reveal as the named user."""
    return lambda name: client_of(name).get(f"/api/campaigns/watches/photos/{photo.pk}/reveal")


def set_mode(campaign: Any, mode: str) -> None:
    campaign.mode = mode
    campaign.save(update_fields=["mode"])


@pytest.mark.parametrize(("name", "status"), [("anonymous", 401), ("mallory", 404)])
def test_only_members_get_a_reveal(reveal: Callable[[str], Any], name: str, status: int) -> None:
    assert reveal(name).status_code == status


@pytest.mark.parametrize("name", ["alice", "rita", "ada"])
def test_every_role_must_answer_first(
    campaign: Any, reveal: Callable[[str], Any], answer: Callable[..., Annotation], name: str
) -> None:
    set_mode(campaign, "reveal")
    refused = reveal(name)
    assert refused.status_code == 403
    assert "Answer first" in refused.json()["detail"]
    answer(name)
    assert reveal(name).status_code == 200


def test_an_answer_reveals_the_prediction_and_the_other_answers(
    campaign: Any, reveal: Callable[[str], Any], answer: Callable[..., Annotation]
) -> None:
    set_mode(campaign, "reveal")
    User.objects.filter(username="bob").update(is_simulated=True)
    answer("bob", 4)
    answer("rita", 6)
    answer("ada", skip_reason="broken")
    answer("alice", 10)
    shown = reveal("alice").json()
    assert shown["prediction"] == {
        "model_version": 1,
        "quality_mean": 6.2,
        "quality_std": 1.5,
        "distribution": [0.1] * 10,
        "watch_probability": 0.9,
    }
    assert shown["others"] == {"n": 2, "simulated": 1, "mean": 5.0, "histogram": [0, 0, 0, 1, 0, 1, 0, 0, 0, 0]}
    drawing = ElementTree.fromstring(shown["drawing"])
    columns = {path.get("class"): path.get("d", "").count("M") for path in drawing.iter(f"{SVG}path")}
    assert columns == {"people": 2, "model": 10}
    assert (drawing.get("width"), drawing.get("aria-hidden")) == ("80", "true")


def test_the_others_do_not_include_people_whom_a_reviewer_has_excluded(
    campaign: Any, people: dict[str, Any], reveal: Callable[[str], Any], answer: Callable[..., Annotation]
) -> None:
    set_mode(campaign, "reveal")
    for name, score in (("bob", 4), ("rita", 6), ("alice", 10)):
        answer(name, score)
    for name in ("bob", "alice"):  # an excluded annotator still sees the others
        ScreeningDecision.objects.create(
            campaign=campaign, annotator=people[name], decision="exclude", reason="x", decided_by=people["ada"]
        )
    assert reveal("alice").json()["others"] == {
        "n": 1, "simulated": 0, "mean": 6.0, "histogram": [0, 0, 0, 0, 0, 1, 0, 0, 0, 0]
    }  # fmt: skip


def test_a_long_scale_has_no_drawing(
    campaign: Any, reveal: Callable[[str], Any], answer: Callable[..., Annotation]
) -> None:
    """The chart would leave no room for the text on a phone."""
    Prediction.objects.update(distribution=[1 / 21] * 21)
    set_mode(campaign, "reveal")
    answer("alice")
    assert reveal("alice").json()["drawing"] == ""


def test_a_skip_does_not_count_as_an_answer(
    campaign: Any, reveal: Callable[[str], Any], answer: Callable[..., Annotation]
) -> None:
    set_mode(campaign, "reveal")
    answer("alice", skip_reason="broken")
    assert reveal("alice").status_code == 403


def test_missing_data_is_null(campaign: Any, reveal: Callable[[str], Any], answer: Callable[..., Annotation]) -> None:
    set_mode(campaign, "reveal")
    Prediction.objects.all().delete()
    answer("alice")
    assert reveal("alice").json() == {"prediction": None, "others": None, "drawing": "", "unusual": None}


def test_a_blind_campaign_reveals_nothing(
    campaign: Any, reveal: Callable[[str], Any], answer: Callable[..., Annotation]
) -> None:
    set_mode(campaign, "blind")
    answer("alice")
    assert reveal("alice").status_code == 403


def test_a_prelabel_campaign_shows_the_prediction_first_and_marks_the_answer(
    campaign: Any, people: dict[str, Any], reveal: Callable[[str], Any], answer: Callable[..., Annotation]
) -> None:
    set_mode(campaign, "prelabel")
    answer("bob", 3)
    assert reveal("alice").status_code == 403  # not leased to her
    leases_claim(campaign=campaign, annotator=people["alice"], count=1)
    shown = reveal("alice").json()
    assert shown["prediction"]["quality_mean"] == 6.2
    assert shown["others"] is None  # shown only after her own answer
    assert 'class="model"' in shown["drawing"]
    assert 'class="people"' not in shown["drawing"]
    assert answer("alice").saw_prediction
    assert reveal("alice").json()["others"]["n"] == 1


@pytest.mark.parametrize("mode", ["blind", "reveal"])
def test_an_anchored_lease_shows_the_prediction_first_and_marks_the_answer(
    campaign: Any, people: dict[str, Any], reveal: Callable[[str], Any], answer: Callable[..., Annotation], mode: str
) -> None:
    campaign.anchoring_share = 1.0
    set_mode(campaign, mode)
    answer("bob", 3)
    assert reveal("alice").status_code == 403  # not leased to her
    leases_claim(campaign=campaign, annotator=people["alice"], count=1)
    assert reveal("rita").status_code == 403  # the lease belongs to alice
    shown = reveal("alice").json()
    assert shown["prediction"]["quality_mean"] == 6.2
    assert shown["others"] is None
    row = answer("alice")
    assert (row.is_anchored, row.saw_prediction) == (True, True)
    assert reveal("alice").status_code == (403 if mode == "blind" else 200)


def test_an_anchored_lease_without_a_prediction_leaves_the_answer_independent(
    campaign: Any, people: dict[str, Any], reveal: Callable[[str], Any], answer: Callable[..., Annotation]
) -> None:
    campaign.anchoring_share = 1.0
    set_mode(campaign, "blind")
    Prediction.objects.all().delete()
    leases_claim(campaign=campaign, annotator=people["alice"], count=1)
    assert reveal("alice").json() == {"prediction": None, "others": None, "drawing": "", "unusual": None}
    row = answer("alice")
    assert (row.is_anchored, row.saw_prediction) == (False, False)


def test_an_ordinary_lease_shows_no_prediction_before_the_answer(
    campaign: Any, people: dict[str, Any], reveal: Callable[[str], Any]
) -> None:
    set_mode(campaign, "blind")
    leases_claim(campaign=campaign, annotator=people["alice"], count=1)
    assert reveal("alice").status_code == 403


def test_a_correction_after_the_reveal_is_marked_even_if_the_mode_changes(
    campaign: Any, people: dict[str, Any], reveal: Callable[[str], Any], answer: Callable[..., Annotation]
) -> None:
    set_mode(campaign, "reveal")
    leases_claim(campaign=campaign, annotator=people["alice"], count=1)
    assert not answer("alice").saw_prediction
    reveal("alice")
    assert Assignment.objects.get(annotator=people["alice"]).saw_prediction
    set_mode(campaign, "blind")
    campaign.refresh_from_db()
    assert answer("alice", 2).saw_prediction


def test_a_photo_of_another_campaign_is_not_found(client_of: Callable[[str], Any], photo: Any) -> None:
    assert client_of("alice").get(f"/api/campaigns/watches/photos/{photo.pk + 1}/reveal").status_code == 404


def test_the_number_of_queries_does_not_grow_with_the_answers(
    campaign: Any,
    make_user: Callable[..., Any],
    photo: Any,
    client_of: Callable[[str], Any],
    answer: Callable[..., Annotation],
) -> None:
    set_mode(campaign, "reveal")
    answer("alice")
    client = client_of("alice")
    address = f"/api/campaigns/watches/photos/{photo.pk}/reveal"
    client.get(address)
    with CaptureQueriesContext(connection) as few:
        client.get(address)
    for number in range(5):
        Annotation.objects.create(
            client_id=uuid4(),
            campaign=campaign,
            image=photo,
            annotator=make_user(f"more-{number}"),
            watch="no",
            score=3,
        )
    with CaptureQueriesContext(connection) as many:
        assert client.get(address).json()["others"]["n"] == 5
    assert len(many) == len(few) <= 9
