"""Evaluations that were measured with other class limits or another watch threshold are marked and made again."""

from collections.abc import Callable
from typing import Any

import pytest

from annotation.models import Campaign
from annotation.services.campaigns import campaign_update
from inference.models import ModelVersion
from tests.opinions_and_predictions import vote
from training.models import Evaluation
from training.selectors.versions import changed_since, newest_evaluations, same_holdout, settings_changed_since
from training.services.evaluations import evaluation_make, evaluations_refresh

Versions = tuple[Any, Any]


@pytest.fixture
def versions(make_rated_images: Callable[..., Any], make_version: Callable[..., Any]) -> Versions:
    """Return a champion and a challenger with predictions for 12 holdout photos."""
    images = make_rated_images(holdout=12, votes=2)
    known = {image: (image.quality, 0.9 if image.is_watch else 0.1) for image in images}
    return make_version(1, champion=True, predict=known), make_version(2, predict=known)


def reloaded(evaluation: Evaluation) -> Evaluation:
    """Return the evaluation with its campaign as they are now, as pages read them."""
    return newest_evaluations([evaluation.model_version])[evaluation.model_version_id]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"watch_threshold": 0.2}, "Measured with other settings (watch threshold 0.05, now 0.2)"),
        ({"reject_at": 4.5}, "Measured with other settings (rejected up to 5, now 4.5)"),
        (
            {"reject_at": 3, "pending_at": 8},
            "Measured with other settings (rejected up to 5, now 3; pending up to 6, now 8)",
        ),
        ({"votes_per_image": 4, "name": "Other", "slug": "other", "lease_seconds": 60}, ""),
    ],
)
def test_the_changed_settings_are_named(
    versions: Versions, campaign: Campaign, change: dict[str, Any], sentence: str
) -> None:
    evaluation = evaluation_make(version=versions[0])
    assert changed_since(reloaded(evaluation)) == ""
    campaign_update(campaign=campaign, **change)
    assert settings_changed_since(reloaded(evaluation)) == sentence
    assert changed_since(reloaded(evaluation)) == sentence


def test_newer_votes_and_other_settings_are_told_together(
    versions: Versions, campaign: Campaign, people: dict[str, Any]
) -> None:
    evaluation = evaluation_make(version=versions[0])
    vote(campaign.images.all()[0], people["ada"], 5)
    campaign_update(campaign=campaign, watch_threshold=0.2)
    assert changed_since(reloaded(evaluation)) == (
        "Measured before 1 newer holdout vote, and measured with other settings (watch threshold 0.05, now 0.2)"
    )


def test_an_old_evaluation_says_that_its_settings_are_unknown(versions: Versions) -> None:
    evaluation = evaluation_make(version=versions[0])
    Evaluation.objects.update(settings={})
    assert "unknown class limits and watch threshold" in settings_changed_since(reloaded(evaluation))


def test_all_versions_are_measured_again_after_a_change_and_once(versions: Versions, campaign: Campaign) -> None:
    champion, challenger = versions
    assert evaluations_refresh(campaign=campaign) == []
    before = newest_evaluations(versions)
    changed = campaign_update(campaign=campaign, watch_threshold=0.95)
    evaluations_refresh(campaign=changed)
    after = newest_evaluations(versions)
    for version in versions:
        assert after[version.pk].fingerprint == before[version.pk].fingerprint, "the same votes"
        assert after[version.pk].metrics["watch_f1"]["value"] != before[version.pk].metrics["watch_f1"]["value"]
        assert after[version.pk].metrics["quality_srcc"] == before[version.pk].metrics["quality_srcc"]
    assert same_holdout(after[champion.pk], after[challenger.pk])
    before[champion.pk].model_version.campaign = changed
    assert not same_holdout(before[champion.pk], after[challenger.pk])
    count = Evaluation.objects.count()
    evaluations_refresh(campaign=changed)
    assert Evaluation.objects.count() == count


def test_every_page_with_figures_marks_them(versions: Versions, campaign: Campaign, client_of: Any) -> None:
    champion, challenger = versions
    evaluation_make(version=challenger, against=champion)
    evaluation_make(version=champion)
    campaign_update(campaign=campaign, watch_threshold=0.2)
    for path in ("", "models/", "calibration/"):
        html = client_of("rita").get(f"/campaigns/watches/{path}").content.decode().lower()
        assert "measured with other settings (watch threshold 0.05, now 0.2)" in html, path
    evaluation_make(version=ModelVersion.objects.get(pk=champion.pk))  # with the campaign as it is now
    html = client_of("rita").get("/campaigns/watches/models/").content.decode()
    assert "Measured with other settings than the champion (version 1): not comparable." in html


def test_versions_for_another_scale_are_not_measured(versions: Versions, campaign: Campaign) -> None:
    _, challenger = versions
    type(challenger).objects.filter(pk=challenger.pk).update(recipe={"bins": 5, "scale_min": 1})
    assert evaluations_refresh(campaign=campaign) == []
    assert set(newest_evaluations(versions)) == {versions[0].pk}
