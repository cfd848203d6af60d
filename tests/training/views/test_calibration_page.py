"""The calibration page: predictions compared with votes."""

import html
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from annotation.models import Campaign
from inference.models import ModelVersion
from tests.opinions_and_predictions import images_make, predictions_make, version_make, vote, votes
from training.evaluation.comparison import ScoreFigures
from training.selectors.comparison import compare
from training.services.evaluations import evaluation_make

PAGE = "/campaigns/watches/calibration/"


def text_of(response: Any) -> str:
    markup = re.sub(r"<script.*?</script>", "", response.content.decode(), flags=re.S)
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", markup)))


@pytest.fixture
def biased_version(campaign: Campaign, people: dict[str, Any], rng: np.random.Generator) -> ModelVersion:
    """40 holdout photos with two votes each (half show a watch), and a version that scores one point too high."""
    images = images_make(campaign, 40, holdout=True)
    raters = [people["alice"], people["bob"]]
    quality = rng.uniform(3, 7, 40)
    watch = np.tile(["yes", "no"], 20)
    votes(images, raters, np.rint(quality[:, None] + rng.normal(0, 1, (40, 2))).clip(1, 10), np.stack([watch] * 2, 1))
    version = version_make(campaign)
    predictions_make(version, images, quality + 1, watch=np.where(watch == "yes", 0.8, 0.02))
    return version


def test_the_page_explains_the_ceiling_and_the_agreement_between_annotators(
    client_of: Callable[[str], Any], biased_version: ModelVersion
) -> None:
    text = text_of(client_of("rita").get(PAGE))
    assert re.search(r"Agreement between annotators \(split-half\) −?\d\.\d\d SRCC of the means of two halves", text)
    assert "The correlation that a perfect model would have with these votes" in text
    assert "so a good model can exceed it" in text


@pytest.mark.parametrize(
    ("name", "status"), [("anonymous", 302), ("mallory", 404), ("alice", 403), ("rita", 200), ("ada", 200)]
)
def test_only_reviewers_and_admins_see_the_page(client_of: Callable[[str], Any], name: str, status: int) -> None:
    assert client_of(name).get(PAGE).status_code == status


def test_titles_state_the_findings(client_of: Callable[[str], Any], biased_version: ModelVersion) -> None:
    text = text_of(client_of("rita").get(PAGE))
    assert re.search(r"Scores are too high on average: \+(0\.\d\d|1\.\d\d) \(\+", text)
    assert "n = 40 holdout photos" in text
    assert re.search(r"Ceiling √r_k 0\.\d\d", text)
    assert re.search(r"Votes: mean \d\.\d\d, standard deviation", text)
    assert "cannot be told apart by F1 (best 1.00" in text


def test_every_chart_has_data_a_label_and_a_table(
    client_of: Callable[[str], Any], biased_version: ModelVersion
) -> None:
    markup = client_of("rita").get(PAGE).content.decode()
    charts = re.findall(r'data-chart="([^"]+)" role="img" aria-label="([^"]+)"', markup)
    names = [name for name, _ in charts]
    assert {"scatter-data", "residuals-model-data", "pit-data", "thresholds-data", "roc-data"} <= set(names)
    assert len(names) == len(set(names))
    for name, label in charts:
        assert f'<script id="{name}" type="application/json">' in markup
        assert len(label) > 30
    assert markup.count("<table") >= 6
    assert "unsafe-eval" not in client_of("rita").get(PAGE).headers["Content-Security-Policy"]


def test_the_threshold_table_runs_from_0_to_1(client_of: Callable[[str], Any], biased_version: ModelVersion) -> None:
    markup = client_of("rita").get(PAGE).content.decode()
    table = re.search(r'<table class="thresholds">.*?</table>', markup, flags=re.S)
    assert table
    thresholds = [float(row) for row in re.findall(r'<tr[^>]*><td class="number">([\d.]+)', table[0])]
    assert (thresholds[0], thresholds[-1]) == (0.01, 0.99)
    assert "Balanced accuracy" in table[0]
    assert re.search(r'<tr class="chosen"><td class="number">0.05', table[0])


def test_the_figures_of_all_rated_photos_have_a_warning(
    client_of: Callable[[str], Any], campaign: Campaign, people: dict[str, Any], biased_version: ModelVersion
) -> None:
    trained = images_make(campaign, 5)
    votes(trained, [people["alice"]], 5, "no")
    predictions_make(biased_version, trained, [5.0] * 5)
    client = client_of("rita")
    assert "include training photos" not in text_of(client.get(PAGE))
    text = text_of(client.get(f"{PAGE}?split=all"))
    assert "These figures include training photos" in text
    assert "n = 45 rated photos" in text


def test_a_holdout_photo_with_one_vote_is_left_out_of_the_scores(
    client_of: Callable[[str], Any], campaign: Campaign, people: dict[str, Any], biased_version: ModelVersion
) -> None:
    (single,) = images_make(campaign, 1, holdout=True)
    vote(single, people["alice"], 9, "yes")
    predictions_make(biased_version, [single], [5.0])
    text = text_of(client_of("rita").get(PAGE))
    assert "n = 40 holdout photos" in text
    assert "1 photo with only one vote is not included in the score figures" in text
    assert "n = 41 photos with a majority label" in text


def test_any_version_can_be_chosen_and_the_champion_is_the_default(
    client_of: Callable[[str], Any], campaign: Campaign, biased_version: ModelVersion
) -> None:
    version_make(campaign, 2, champion=False)
    client = client_of("rita")
    assert "Version 1 (champion), compared with the answers that were given without seeing a prediction" in text_of(
        client.get(PAGE)
    )
    assert "version 2 has no prediction for them yet" in text_of(client.get(f"{PAGE}?version=2"))
    for query in ("version=3", "version=x", "split=train", "photo=x", "photo=99999999"):
        assert client.get(f"{PAGE}?{query}").status_code == 404, query


def test_an_htmx_request_gets_only_the_part_of_one_photo(
    client_of: Callable[[str], Any], biased_version: ModelVersion
) -> None:
    image = biased_version.campaign.images.order_by("pk").first()
    assert image
    client = client_of("rita")
    headers = {"HX-Request": "true", "HX-Target": "one-photo"}
    with CaptureQueriesContext(connection) as captured:
        markup = client.get(f"{PAGE}?photo={image.pk}", headers=headers).content.decode()
    assert markup.lstrip().startswith('<div id="one-photo">')
    assert image.name in markup
    assert "people: 2 votes" in markup
    assert len(captured) <= 13  # one asks for changes of splits, on which the figures depend
    assert image.name in text_of(client.get(f"{PAGE}?photo={image.pk}"))


def test_a_campaign_without_a_model_says_so(client_of: Callable[[str], Any]) -> None:
    assert "No model yet" in text_of(client_of("rita").get(PAGE))


def test_a_campaign_without_votes_says_so(client_of: Callable[[str], Any], campaign: Campaign) -> None:
    version = version_make(campaign)
    predictions_make(version, images_make(campaign, 2, holdout=True), [5.0, 6.0])
    assert "No votes yet" in text_of(client_of("rita").get(PAGE))


def test_answers_given_after_seeing_the_prediction_do_not_count(
    client_of: Callable[[str], Any], campaign: Campaign, people: dict[str, Any]
) -> None:
    (image,) = images_make(campaign, 1, holdout=True)
    predictions_make(version_make(campaign), [image], [5.0])
    vote(image, people["alice"], 5, saw_prediction=True)
    assert "No votes yet" in text_of(client_of("rita").get(PAGE))


def test_photos_with_one_vote_each_are_not_enough_for_score_figures(
    client_of: Callable[[str], Any], campaign: Campaign, people: dict[str, Any]
) -> None:
    images = images_make(campaign, 3, holdout=True)
    votes(images, [people["alice"]], 5, "no")
    predictions_make(version_make(campaign), images, [5.0] * 3)
    text = text_of(client_of("rita").get(PAGE))
    assert "No photo has two votes yet" in text
    assert "Too few labels for a reliability diagram" in text


def test_more_photos_need_no_more_queries(
    client_of: Callable[[str], Any], campaign: Campaign, people: dict[str, Any], biased_version: ModelVersion
) -> None:
    client = client_of("rita")

    def query_count() -> int:
        client.get(PAGE)  # computes and stores the figures
        with CaptureQueriesContext(connection) as captured:
            client.get(PAGE)
        return len(captured)

    before = query_count()
    more = images_make(campaign, 60, holdout=True, prefix="more")
    votes(more, [people["alice"], people["bob"]], 6, "no")
    predictions_make(biased_version, more, [6.0] * 60)
    # Some sections read their photos only where they have some, such as those on which people and model disagree.
    assert query_count() <= before + 2 <= 40


def test_photo_names_cannot_inject_markup(
    client_of: Callable[[str], Any], campaign: Campaign, biased_version: ModelVersion
) -> None:
    campaign.images.update(name="</script><script>alert(1)</script>")
    assert "<script>alert" not in client_of("rita").get(PAGE).content.decode()


def test_live_and_stored_figures_have_a_time_and_are_equal_for_the_same_votes(
    client_of: Callable[[str], Any], campaign: Campaign, people: dict[str, Any], biased_version: ModelVersion
) -> None:
    client = client_of("rita")
    evaluation = evaluation_make(version=biased_version)
    live = ScoreFigures.of(compare(campaign, biased_version), seed=campaign.seed)
    stored = evaluation.metrics["quality_srcc"]
    assert (live.srcc.value, live.srcc.low, live.srcc.high) == (stored["value"], stored["low"], stored["high"])
    text = text_of(client.get(PAGE))
    assert re.search(r"Counted [\w\s]+ \(\d+ \w+ \d{4}, \d\d:\d\d UTC\) from 80 votes, fingerprint [0-9a-f]{12} ", text)
    assert re.search(r"The figures on the models page were measured .* UTC on the same votes\.", text)

    vote(campaign.images.all()[0], people["rita"], 1)
    text = text_of(client.get(PAGE))
    assert re.search(
        r"The figures on the models page were measured .* UTC on 40 holdout photos with 80 votes; "
        r"measured before 1 newer holdout vote\.",
        text,
    )
    assert "The figures on the models page" not in text_of(client.get(f"{PAGE}?split=all"))
