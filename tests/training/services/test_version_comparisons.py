"""Comparisons of two versions: on photos that neither has learned from, with the figures of evaluations."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from annotation.models import Campaign, Image
from inference.models import ModelVersion
from training.evaluation.version_pair import pair_figures, pair_verdicts
from training.learning.dataset import Snapshot
from training.models import HoldoutLook, TrainingRun, VersionComparison
from training.services.evaluations import evaluation_make
from training.services.version_comparisons import (
    version_comparison_perform,
    version_comparison_request,
    version_pair_measure,
)
from training.services.version_work import WorkImpossible


@pytest.fixture
def images(make_rated_images: Callable[..., Any]) -> list[Any]:
    return list(make_rated_images(holdout=40))


@pytest.fixture
def pair(images: list[Any], make_version: Callable[..., Any]) -> tuple[ModelVersion, ModelVersion]:
    """Return a version that knows quality and watches, and one that knows neither."""
    good = make_version(
        1, champion=True, predict={image: (image.quality, 0.9 if image.is_watch else 0.01) for image in images}
    )
    bad = make_version(2, predict={image: (11 - image.quality, 0.3) for image in images})
    return good, bad


def learn(version: ModelVersion, images: list[Any]) -> None:
    """Store a run that has made the version from votes on these photos."""
    run = TrainingRun.objects.create(
        campaign=version.campaign, trigger="button", state="done", challenger=version, annotation_count=len(images)
    )
    run.folder.mkdir(parents=True)
    ones = np.ones(len(images), dtype=np.int64)
    Snapshot(
        image_ids=np.array([image.pk for image in images], dtype=np.int64),
        sha256=np.array([image.sha256 for image in images], dtype="U64"),
        groups=np.array([str(image.group) for image in images], dtype="U36"),
        annotator_ids=ones,
        scores=ones.astype(np.int16),
        watch=ones.astype(np.int8),
        weights=np.ones(len(images)),
    ).save(run.folder / "snapshot.npz")


def test_the_better_version_wins_and_the_other_way_round_loses(pair: tuple[ModelVersion, ModelVersion]) -> None:
    for (first, second), winner in ((pair, "first"), (pair[::-1], "second")):
        result = version_pair_measure(first, second)
        figures = {figure.metric.name: figure for figure in pair_figures(result["figures"])}
        assert set(figures) == {"quality_rps", "quality_srcc", "quality_mae", "watch_f1"}
        assert [verdict.better for verdict in pair_verdicts(figures, 1, 2)] == [winner, winner]


def test_the_figures_are_those_of_an_evaluation(pair: tuple[ModelVersion, ModelVersion]) -> None:
    result = version_pair_measure(*pair)
    evaluation = evaluation_make(version=pair[0], against=pair[1])
    for name in ("quality_rps", "quality_srcc", "watch_f1"):
        for ours, theirs in (("first", evaluation.metrics), ("difference", evaluation.differences)):
            for part in ("value", "low", "high", "n"):
                assert result["figures"][name][ours][part] == theirs[name][part], (name, ours, part)
    assert result["fingerprint"] == evaluation.fingerprint


def test_photos_that_a_version_has_learned_from_are_left_out(
    pair: tuple[ModelVersion, ModelVersion], images: list[Any]
) -> None:
    Image.objects.filter(pk=images[5].pk).update(group=images[4].group)
    learn(pair[1], images[:5])
    result = version_pair_measure(*pair)
    assert set(result["image_ids"]) == {image.pk for image in images[6:]}  # the sixth is a near-duplicate of the fifth
    assert (result["left_out_learned"], result["unknown"]) == (6, [])


def test_lost_answers_of_a_run_are_named(pair: tuple[ModelVersion, ModelVersion], images: list[Any]) -> None:
    learn(pair[1], images[:5])
    (TrainingRun.objects.get().folder / "snapshot.npz").unlink()
    result = version_pair_measure(*pair)
    assert (result["unknown"], len(result["image_ids"])) == ([2], 40)


def test_photos_without_predictions_of_both_are_left_out(
    pair: tuple[ModelVersion, ModelVersion], images: list[Any]
) -> None:
    pair[0].predictions.filter(image__in=images[:3]).delete()
    result = version_pair_measure(*pair)
    assert (len(result["image_ids"]), result["left_out_unpredicted"]) == (37, 3)


def test_a_version_of_another_scale_cannot_be_compared(
    pair: tuple[ModelVersion, ModelVersion], people: dict[str, Any]
) -> None:
    ModelVersion.objects.filter(pk=pair[1].pk).update(recipe={"bins": 5, "scale_min": 1})
    campaign = Campaign.objects.get()
    row = version_comparison_request(campaign=campaign, first=pair[0], second=pair[1], by=people["rita"])
    version_comparison_perform(comparison_id=row.pk)
    row.refresh_from_db()
    assert row.message == "Version 2 was made for another scale, so it cannot be compared."
    with pytest.raises(WorkImpossible):
        version_pair_measure(pair[0], ModelVersion.objects.select_related("campaign").get(pk=pair[1].pk))


def test_a_comparison_is_no_look_at_the_holdout(
    pair: tuple[ModelVersion, ModelVersion], people: dict[str, Any]
) -> None:
    row = version_comparison_request(campaign=pair[0].campaign, first=pair[1], second=pair[0], by=people["rita"])
    version_comparison_perform(comparison_id=row.pk)
    assert VersionComparison.objects.get().made_at is not None
    assert not HoldoutLook.objects.exists()
