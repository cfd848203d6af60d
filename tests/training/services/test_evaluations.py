"""Evaluations on the holdout: the votes that count, the photos that are compared, and repeatability."""

import io
import re
import uuid
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from annotation.models import Annotation, Campaign
from tests.opinions_and_predictions import images_make, predictions_make, version_make, vote, votes
from training.evaluation.comparison import ScoreFigures, watch_roc_auc
from training.evaluation.measured import measured
from training.evaluation.promotion_rule import Rule, description
from training.evaluation.registry import METRICS
from training.models import Evaluation
from training.selectors.comparison import compare
from training.selectors.snapshots import holdout_opinions
from training.selectors.versions import newest_evaluations, same_holdout, votes_changed_since
from training.services.evaluation_requests import evaluations_request
from training.services.evaluations import evaluation_make, evaluations_refresh
from training.tasks import versions_evaluate


def answer(campaign: Campaign, image: Any, annotator: Any, score: int, watch: str, **fields: Any) -> None:
    Annotation.objects.create(
        client_id=uuid.uuid4(),
        campaign=campaign,
        image=image,
        annotator=annotator,
        score=score,
        watch=watch,
        **fields,
    )


def test_only_blind_votes_on_holdout_photos_count(
    campaign: Campaign, people: dict[str, Any], make_rated_images: Callable[..., Any]
) -> None:
    train, *holdout = make_rated_images(train=1, holdout=4, votes=0)
    alice, bob, rita = people["alice"], people["bob"], people["rita"]
    answer(campaign, train, alice, 9, "yes")
    answer(campaign, train, bob, 9, "yes")
    two, one, exposed, tied = holdout
    answer(campaign, two, alice, 3, "yes")
    answer(campaign, two, bob, 5, "unsure")
    answer(campaign, one, alice, 3, "no")
    answer(campaign, exposed, alice, 3, "yes", saw_prediction=True)
    answer(campaign, exposed, bob, 4, "yes", saw_prediction=True)
    answer(campaign, tied, alice, 2, "yes")
    answer(campaign, tied, bob, 2, "no")
    answer(campaign, tied, rita, 8, "unsure")
    opinions = holdout_opinions(campaign)
    assert opinions.quality_ids.tolist() == [two.pk, tied.pk]
    assert opinions.histograms.sum(axis=1).tolist() == [2, 3]
    assert opinions.watch_ids.tolist() == [two.pk, one.pk]
    assert opinions.watch_labels.tolist() == [1, 0]
    assert opinions.vote_count == 6


@pytest.fixture
def two_versions(make_rated_images: Callable[..., Any], make_version: Callable[..., Any]) -> tuple[Any, Any]:
    """Return a champion with random predictions and a challenger with correct ones, for 40 holdout photos."""
    images = make_rated_images(holdout=40, votes=3)
    rng = np.random.default_rng(1)
    random = {image: (float(rng.uniform(1, 10)), float(rng.uniform())) for image in images}
    correct = {image: (image.quality, 0.9 if image.is_watch else 0.01) for image in images}
    return make_version(1, champion=True, predict=random), make_version(2, predict=correct)


def test_a_correct_challenger_is_better_than_a_random_champion(two_versions: tuple[Any, Any]) -> None:
    champion, challenger = two_versions
    evaluation = evaluation_make(version=challenger, against=champion)
    assert set(evaluation.metrics) == set(METRICS) == set(evaluation.differences)
    metrics = {one.metric.name: one for one in measured(evaluation.metrics)}
    assert all(one.low <= one.value <= one.high and one.n == 40 for one in metrics.values())  # type: ignore[operator]
    assert metrics["quality_srcc"].value > 0.7  # type: ignore[operator]
    assert (metrics["watch_roc_auc"].value, metrics["watch_f1"].value) == (1.0, 1.0)
    assert 0.7 < metrics["quality_srcc"].ceiling < 1  # type: ignore[operator]
    assert metrics["quality_rmse"].ceiling is None
    assert {one.verdict for one in measured(evaluation.differences)} == {"better"}
    reverse = evaluation_make(version=champion, against=challenger)
    assert {one.verdict for one in measured(reverse.differences)} == {"worse"}


def test_the_same_votes_give_the_same_intervals_and_fingerprint(two_versions: tuple[Any, Any]) -> None:
    champion, challenger = two_versions
    first = evaluation_make(version=challenger, against=champion)
    second = evaluation_make(version=challenger, against=champion)
    assert (first.metrics, first.differences, first.fingerprint) == (
        second.metrics,
        second.differences,
        second.fingerprint,
    )


def test_photos_without_a_prediction_of_both_versions_are_left_out(two_versions: tuple[Any, Any]) -> None:
    champion, challenger = two_versions
    champion.predictions.filter(pk__in=champion.predictions.values("pk")[:5]).delete()
    evaluation = evaluation_make(version=challenger, against=champion)
    assert {entry["n"] for entry in (evaluation.metrics | evaluation.differences).values()} == {35}
    assert evaluation.image_count == 35


def test_without_votes_all_metrics_are_unknown(campaign: Campaign, make_version: Callable[..., Any]) -> None:
    evaluation = evaluation_make(version=make_version(1, champion=True))
    assert evaluation.image_count == 0
    assert {entry["value"] for entry in evaluation.metrics.values()} == {None}
    assert [one.text for one in measured(evaluation.metrics)] == ["–"] * len(METRICS)


def test_the_command_prints_every_metric_with_its_interval(two_versions: tuple[Any, Any], campaign: Campaign) -> None:
    out = io.StringIO()
    call_command("evaluate", campaign.slug, "--version", "2", stdout=out)
    lines = out.getvalue().splitlines()
    assert re.match(r"Watches v2, measured .* UTC on 40 holdout photos with 120 votes", lines[0])
    assert lines[-3] == description(Rule())
    assert lines[-2] == "1 of 20 looks at this holdout are used for this champion."
    assert re.search(r"Ceiling √r_k, .*: 0\.\d+ \(0\.\d+–[01]\.\d+\), ICC\(C,1\)\.$", lines[-4])
    assert lines[-5].startswith("Correlates with the MOS as well as the mean of ")
    assert [line.split("  ")[0].strip() for line in lines[2:-5]] == [metric.label for metric in METRICS.values()]
    assert "better" in lines[2]
    assert lines[-1].startswith("Promote: Quality RPS −")
    with pytest.raises(CommandError, match="no model version 9"):
        call_command("evaluate", campaign.slug, "--version", "9")
    with pytest.raises(CommandError, match="There is no campaign 'clocks'"):
        call_command("evaluate", "clocks")


def test_newer_votes_are_reported(two_versions: tuple[Any, Any], campaign: Campaign, people: dict[str, Any]) -> None:
    evaluation = evaluation_make(version=two_versions[0])
    assert votes_changed_since(evaluation) == ""
    first, second = campaign.images.all()[:2]
    vote(first, people["rita"], 5, saw_prediction=True)  # does not count
    assert votes_changed_since(evaluation) == ""
    new = vote(first, people["ada"], 5)
    assert votes_changed_since(evaluation) == "Measured before 1 newer holdout vote"
    vote(second, people["ada"], 5)
    assert votes_changed_since(evaluation) == "Measured before 2 newer holdout votes"
    evaluation = evaluation_make(version=two_versions[0])
    after_reveal = vote(first, people["ada"], 9, supersedes=new, saw_prediction=True)
    assert votes_changed_since(evaluation) == "", "the blind vote still counts"
    skipped = {"skip_reason": "It should not be here", "supersedes": after_reveal, "saw_prediction": True}
    vote(first, people["ada"], None, "", **skipped)  # type: ignore[arg-type]  # a skip has no score
    assert votes_changed_since(evaluation) == "Measured on 122 holdout votes, of which 121 still count"


def test_all_versions_are_measured_on_the_same_votes(
    two_versions: tuple[Any, Any], campaign: Campaign, people: dict[str, Any]
) -> None:
    champion, challenger = two_versions
    evaluation_make(version=challenger, against=champion)
    vote(campaign.images.all()[0], people["ada"], 5)
    evaluation_make(version=champion)
    newest = newest_evaluations(two_versions)
    assert not same_holdout(newest[champion.pk], newest[challenger.pk])
    evaluations_request(campaign=campaign)
    versions_evaluate(campaign.pk)
    newest = newest_evaluations(two_versions)
    assert same_holdout(newest[champion.pk], newest[challenger.pk])
    assert newest[challenger.pk].against == champion
    before = Evaluation.objects.count()
    evaluations_request(campaign=campaign)
    versions_evaluate(campaign.pk)  # a second request
    assert Evaluation.objects.count() == before


def test_other_versions_are_measured_despite_a_damaged_one(
    two_versions: tuple[Any, Any], campaign: Campaign, make_version: Callable[..., Any]
) -> None:
    from inference.models import Feature

    damaged = make_version(3)
    (damaged.path / "heads.onnx").unlink()
    Feature.objects.create(image=campaign.images.all()[0], backbone="tiny@0", state="done", vector=b"00")
    (problem,) = evaluations_refresh(campaign=campaign)
    assert "heads.onnx" in problem
    assert set(newest_evaluations([*two_versions, damaged])) == {version.pk for version in two_versions}


def test_the_command_measures_all_versions(two_versions: tuple[Any, Any], campaign: Campaign) -> None:
    out = io.StringIO()
    call_command("evaluate", campaign.slug, "--all", stdout=out)
    headings = re.findall(r"^Watches v(\d), measured .* on 40 holdout photos", out.getvalue(), re.MULTILINE)
    assert sorted(headings) == ["1", "2"]


@pytest.mark.slow
def test_the_calibration_page_shows_the_intervals_of_the_evaluation(
    campaign: Campaign, people: dict[str, Any], rng: np.random.Generator
) -> None:
    """Above 2,000 photos the number of resamples falls; both must use the same number."""
    images = images_make(campaign, 2100, holdout=True)
    scores = rng.integers(1, 11, (2100, 2))
    watch = np.where(rng.random(2100) < 0.2, "yes", "no")
    votes(images, [people["alice"], people["bob"]], scores, watch)
    version = version_make(campaign)
    predictions_make(version, images, rng.uniform(1, 10, 2100), watch=rng.random(2100))
    metrics = evaluation_make(version=version).metrics
    comparison = compare(campaign, version)
    figures = ScoreFigures.of(comparison, seed=campaign.seed)
    assert figures.srcc.n == 2100
    assert figures.srcc.as_json() == {key: metrics["quality_srcc"][key] for key in figures.srcc.as_json()}
    assert figures.rmse.as_json() == metrics["quality_rmse"]
    assert watch_roc_auc(comparison, seed=campaign.seed).as_json() == metrics["watch_roc_auc"]
