"""The sections of the calibration page about slices, annotators, versions over time and disagreement."""

import html
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from annotation.models import Campaign, Image, VoteRequest
from annotation.services.figures_rows import row_make
from annotation.services.queue import counters_rebuild
from inference.models import ModelVersion
from tests.opinions_and_predictions import distortions_make, images_make, predictions_make, version_make, votes
from training.models import Promotion, StoredTrend, TrainingRun
from training.services.stored_trends import TREND
from training.tasks import stored_trend_make

PAGE = "/campaigns/watches/calibration/"
MORE = "/campaigns/watches/more-votes/"
PHOTOS = 160


def text_of(response: Any) -> str:
    markup = re.sub(r"<script.*?</script>", "", response.content.decode(), flags=re.S)
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", markup)))


def part_of(response: Any, anchor: str) -> str:
    """Return the markup of one part of the page."""
    found = re.search(rf'<section class="part" id="{anchor}".*?</section>', response.content.decode(), flags=re.S)
    assert found is not None
    return found[0]


@pytest.fixture
def images(campaign: Campaign, people: dict[str, Any], rng: np.random.Generator) -> list[Image]:
    """160 holdout photos with four votes each, in two formats; the second half has noise."""
    photos = images_make(campaign, PHOTOS, holdout=True)
    Image.objects.filter(pk__in=[one.pk for one in photos[::3]]).update(suffix=".png")
    quality = np.linspace(3, 8, PHOTOS)
    raters = [people[name] for name in ("alice", "bob", "rita", "ada")]
    scores = np.rint(quality[:, None] + rng.normal(0, 0.8, (PHOTOS, 4))).clip(1, 10)
    votes(photos, raters, scores, "no")
    distortions_make(photos, quality=50.0, noise=np.tile([0.1, 0.9], PHOTOS // 2))
    counters_rebuild(campaign=campaign)
    return photos


@pytest.fixture
def version(campaign: Campaign, images: list[Image], rng: np.random.Generator) -> ModelVersion:
    """The model scores noisy photos two points too high, and the first photo six points."""
    made = version_make(campaign)
    means = np.linspace(3, 8, PHOTOS) + rng.normal(0, 0.5, PHOTOS) + np.tile([0, 2], PHOTOS // 2)
    means[0] = 9.0
    predictions_make(made, images, means, watch=np.where(np.arange(PHOTOS) == 5, 0.99, 0.01))
    return made


def test_the_worst_slice_is_named_and_leads_to_such_photos(
    client_of: Callable[[str], Any], version: ModelVersion
) -> None:
    response = client_of("rita").get(PAGE)
    part = part_of(response, "slices")
    assert "The model scores photos with noise of 0.90" in part
    assert "points too high on average" in part
    assert 'order=noise&amp;noise_from=0.9&amp;split=holdout"' in part
    assert "Too few errors to tell" in part
    assert part.count('class="stands-out"') >= 1
    assert [one for one in ("JPEG", "PNG", "rejected", "accepted") if one not in part] == []


@pytest.mark.parametrize(("measure", "word"), [("rmse", "RMSE"), ("srcc", "Spearman"), ("watch", "wrong watch")])
def test_the_measure_is_chosen_in_the_address(
    client_of: Callable[[str], Any], version: ModelVersion, measure: str, word: str
) -> None:
    client = client_of("rita")
    response = client.get(f"{PAGE}?measure={measure}")
    assert word in part_of(response, "slices")
    assert f'measure={measure}#slices" aria-current="true"' in part_of(response, "slices")
    assert f'name="measure" value="{measure}"' in response.content.decode()  # the filters keep it


@pytest.mark.parametrize("query", ["measure=size", "metric=quality", "by=date"])
def test_a_choice_that_does_not_exist_is_not_found(
    client_of: Callable[[str], Any], version: ModelVersion, query: str
) -> None:
    assert client_of("rita").get(f"{PAGE}?{query}").status_code == 404


def test_annotators_stand_beside_the_other_people(client_of: Callable[[str], Any], version: ModelVersion) -> None:
    part = part_of(client_of("rita").get(PAGE), "annotators")
    for name in ("alice", "bob", "rita", "ada"):
        assert f">{name} <" in part
    assert "160 votes" in part


def test_photos_with_two_intervals_that_do_not_meet_are_listed_and_can_be_sent(
    client_of: Callable[[str], Any], campaign: Campaign, images: list[Image], version: ModelVersion
) -> None:
    client = client_of("rita")
    part = part_of(client.get(PAGE), "disagreement")
    assert "photo-0.jpg" in part
    assert "chance alone would bring" in part
    assert "photo-5.jpg" in part  # sure majority 'no watch', watch probability .99
    answer = client.post(MORE, {"image": [images[0].pk], "reason": "they disagree", "next": f"{PAGE}#disagreement"})
    assert (answer.status_code, answer["Location"]) == (302, f"{PAGE}#disagreement")
    images[0].refresh_from_db()
    assert (images[0].extra_votes, images[0].open_slots) == (3, 2)  # it had one surplus vote
    page = client.get(PAGE)
    assert "Sent 1 photo for 2 more votes each." in text_of(page)
    part = part_of(page, "disagreement")
    assert "waiting for votes" in part
    assert "0 of 2 votes have come" in part
    undo = re.search(rf'action="({MORE}[^"]+/undo)"', part)
    assert undo
    client.post(undo[1], {"next": PAGE})
    images[0].refresh_from_db()
    assert images[0].extra_votes == 0
    assert "waiting for votes" not in part_of(client.get(PAGE), "disagreement")


@pytest.mark.parametrize(
    ("name", "status"), [("anonymous", 302), ("mallory", 404), ("alice", 403), ("rita", 302), ("ada", 302)]
)
def test_only_reviewers_and_admins_send_photos(
    client_of: Callable[[str], Any], images: list[Image], name: str, status: int
) -> None:
    answer = client_of(name).post(MORE, {"image": [images[0].pk]})
    assert answer.status_code == status
    assert VoteRequest.objects.exists() is (name in ("rita", "ada"))
    for row in VoteRequest.objects.all():
        undone = client_of(name).post(f"{MORE}{row.batch}/undo")
        assert undone.status_code == status


def test_the_form_does_not_lead_to_another_site(client_of: Callable[[str], Any], images: list[Image]) -> None:
    answer = client_of("rita").post(MORE, {"image": [images[0].pk], "next": "https://elsewhere.example/"})
    assert answer["Location"] == "/campaigns/watches/disputed/"
    assert client_of("rita").post(MORE, {}).status_code == 302
    assert VoteRequest.objects.count() == 1


def test_photos_that_are_disputed_are_neither_shown_nor_sent_before_the_own_answer(
    client_of: Callable[[str], Any],
    campaign: Campaign,
    images: list[Image],
    version: ModelVersion,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from annotation.views import vote_requests
    from training.views.calibration import page

    # The rule of what is disputed has its own tests, and needs a stored consensus of many photos.
    for module in (vote_requests, page):
        monkeypatch.setattr(module, "predictions_hidden", lambda campaign, viewer: [{"image_id": images[0].pk}])
    client = client_of("rita")
    part = part_of(client.get(PAGE), "disagreement")
    assert "photo-0.jpg" not in part
    assert "shown only after your own answer" in part
    client.post(MORE, {"image": [images[0].pk]})
    assert not VoteRequest.objects.exists()


def test_a_page_asks_a_worker_for_the_versions_and_never_measures_them(
    client_of: Callable[[str], Any], campaign: Campaign, version: ModelVersion
) -> None:
    client = client_of("rita")
    part = part_of(client.get(PAGE), "over-time")
    assert "Waiting for a worker" in part
    assert 'hx-trigger="every 3s"' in part
    row = StoredTrend.objects.get(campaign=campaign)
    assert (row.state, row.figures) == (StoredTrend.State.QUEUED, "")
    assert stored_trend_make(row.pk)
    part = part_of(client.get(PAGE), "over-time")
    assert "Quality SRCC 0." in part
    assert "160 holdout photos" in part
    assert "hx-trigger" not in part


def test_versions_are_compared_on_the_same_photos_and_the_metric_is_in_the_address(
    client_of: Callable[[str], Any], campaign: Campaign, people: dict[str, Any], images: list[Image],
    version: ModelVersion, rng: np.random.Generator,
) -> None:  # fmt: skip
    second = version_make(campaign, 2, champion=False)
    TrainingRun.objects.create(
        campaign=campaign, trigger="button", state="done", challenger=second, annotation_count=321
    )
    predictions_make(second, images[:150], np.linspace(3, 8, 150) + rng.normal(0, 0.3, 150))
    row_make(TREND.row(campaign=campaign), TREND)
    client = client_of("rita")
    part = part_of(client.get(f"{PAGE}?metric=quality_rmse"), "over-time")
    assert "All versions on the same 150 holdout photos" in part
    assert "Quality RMSE" in part
    assert part.count('class="whisker"') == 6
    assert "Version 1 beside version 2" not in part  # nothing came before version 1
    beside = part_of(client.get(f"{PAGE}?version=2"), "over-time")
    assert "Version 2 beside version 1" in beside
    assert "/campaigns/watches/models/compare/?a=2&amp;b=1" in beside
    by_votes = part_of(client.get(f"{PAGE}?by=votes"), "over-time")
    assert "321 answers" in by_votes


def test_champions_are_marked(
    client_of: Callable[[str], Any], campaign: Campaign, people: dict[str, Any], images: list[Image],
    version: ModelVersion,
) -> None:  # fmt: skip
    second = version_make(campaign, 2, champion=False)
    predictions_make(second, images, np.linspace(3, 8, PHOTOS))
    ModelVersion.objects.filter(pk=version.pk).update(is_champion=False)
    ModelVersion.objects.filter(pk=second.pk).update(is_champion=True)
    Promotion.objects.create(campaign=campaign, kind="manual", version=second, replaced=version, by=people["ada"])
    row_make(TREND.row(campaign=campaign), TREND)
    part = part_of(client_of("rita").get(PAGE), "over-time")
    assert part.count('<circle class="champion"') == 1
    assert "Version 1 was champion" in part
    assert "– now" in part


def test_more_photos_need_no_more_queries(
    client_of: Callable[[str], Any], campaign: Campaign, people: dict[str, Any], images: list[Image],
    version: ModelVersion,
) -> None:  # fmt: skip
    client = client_of("rita")
    row_make(TREND.row(campaign=campaign), TREND)
    client.post(MORE, {"image": [images[0].pk]})

    def query_count() -> int:
        client.get(PAGE)  # computes the figures
        with CaptureQueriesContext(connection) as captured:
            client.get(PAGE)
        return len(captured)

    before = query_count()
    more = images_make(campaign, 60, holdout=True, prefix="more")
    votes(more, [people["alice"], people["bob"]], 6, "no")
    predictions_make(version, more, [6.0] * 60)
    row_make(TREND.row(campaign=campaign), TREND)
    assert query_count() == before <= 45


def test_the_report_for_print_has_no_buttons_in_these_sections(
    client_of: Callable[[str], Any], version: ModelVersion
) -> None:
    response = client_of("rita").get(f"{PAGE}?view=print")
    for anchor in ("slices", "annotators", "over-time", "disagreement"):
        assert "<button" not in part_of(response, anchor)


@pytest.mark.django_db
def test_a_second_request_draws_no_bokeh_chart(
    version: ModelVersion, client_of: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from training.drawing import bokeh_chart

    client = client_of("rita")
    client.get(PAGE)  # computes the figures
    first = client.get(PAGE).content.decode()
    monkeypatch.setattr(bokeh_chart, "json_item", lambda plot: pytest.fail("A chart is drawn again."))
    second = client.get(PAGE).content.decode()
    charts = re.compile(r'<script id="([^"]+)-data" type="application/json">(.*?)</script>', flags=re.S)
    assert charts.findall(first) == charts.findall(second) != []
