"""A training run learns from imported histograms of train photos, and says how many there were."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.test import Client
from django.urls import reverse

from annotation.exchange.registry import READERS
from annotation.models import Adjudication, Annotation, Campaign, Image, User, VoteImport
from annotation.services.vote_imports import vote_import_begin, vote_import_run
from tests.training.services.test_runs_with_decisions import run_made
from training.learning.dataset import rated_images
from training.models import TrainingRun
from training.selectors.runs import learned_photos, training_answers
from training.selectors.snapshots import holdout_opinions, training_data
from training.services.execution import run_perform
from training.services.runs import run_claim

# Votes for the scores 1 to 10.
COUNTS = "0,0,1,0,2,0,4,0,0,3"
HEADER = "file,1,2,3,4,5,6,7,8,9,10\n"


@pytest.fixture
def images(campaign: Campaign, make_rated_images: Callable[..., Any]) -> list[Image]:
    """Return three photos of the train split and two of the holdout, all with features and votes."""
    make_rated_images(train=3, holdout=2, features=8)
    return list(Image.objects.order_by("split", "pk").exclude(split="neither"))


def import_text(campaign: Campaign, folder: Path, text: str, scale: tuple[int, int] | None = None) -> VoteImport:
    path = folder / "histograms.csv"
    path.write_text(text)
    begun = vote_import_begin(campaign=campaign, reader=READERS["histogram-csv"], source=path.name, scale=scale)
    done = vote_import_run(vote_import=begun, path=path)
    assert done.state == VoteImport.State.DONE, done.problems
    return done


def of_split(images: list[Image], split: str) -> list[Image]:
    return [image for image in images if image.split == split]


def test_a_histogram_counts_with_its_votes_beside_the_answers(
    campaign: Campaign, images: list[Image], tmp_path: Path
) -> None:
    first = of_split(images, "train")[0]
    before, _ = training_data(campaign, exposed_answers=False)
    import_text(campaign, tmp_path, f"{HEADER}{first.name},{COUNTS}\n")
    data, _ = training_data(campaign, exposed_answers=False)
    assert len(data) == len(before)
    assert data.fingerprint != before.fingerprint
    rated, plain = (rated_images(one, lowest=1, highest=10) for one in (data, before))
    row = int(np.searchsorted(rated.image_ids, first.pk))
    added = rated.histograms - plain.histograms
    assert added[row].tolist() == [0, 0, 1, 0, 2, 0, 4, 0, 0, 3]
    assert np.count_nonzero(added.sum(axis=1)) == 1
    assert rated.votes is not None
    assert len(rated.votes.steps) == len(before)  # nobody knows who gave the others


def test_photos_without_answers_are_learned_from(campaign: Campaign, images: list[Image], tmp_path: Path) -> None:
    train = of_split(images, "train")
    Annotation.objects.all().delete()
    text = "".join(f"{image.name},{COUNTS}\n" for image in images)
    import_text(campaign, tmp_path, HEADER + text)
    data, _ = training_data(campaign, exposed_answers=False)
    assert data.photo_ids.tolist() == sorted(image.pk for image in train)
    rated = rated_images(data, lowest=1, highest=10)
    assert rated.histograms.sum(axis=1).tolist() == [10.0] * len(train)


def test_histograms_of_the_holdout_are_neither_learned_from_nor_evaluated_on(
    campaign: Campaign, images: list[Image], tmp_path: Path
) -> None:
    before = holdout_opinions(campaign).fingerprint
    held = of_split(images, "holdout")
    import_text(campaign, tmp_path, HEADER + "".join(f"{image.name},{COUNTS}\n" for image in held))
    assert len(training_data(campaign, exposed_answers=False)[0].aggregated) == 0
    assert holdout_opinions(campaign).fingerprint == before


def test_of_two_imports_the_newest_histogram_of_a_photo_counts(
    campaign: Campaign, images: list[Image], tmp_path: Path
) -> None:
    first = of_split(images, "train")[0]
    import_text(campaign, tmp_path, f"{HEADER}{first.name},{COUNTS}\n")
    import_text(campaign, tmp_path, f"{HEADER}{first.name},9,0,0,0,0,0,0,0,0,0\n")
    data, _ = training_data(campaign, exposed_answers=False)
    assert data.aggregated.counts.tolist() == [[9.0, *[0.0] * 9]]


def test_imported_single_votes_count_instead_of_the_histogram_of_the_photo(
    campaign: Campaign, images: list[Image], tmp_path: Path
) -> None:
    first, second = of_split(images, "train")[:2]
    import_text(campaign, tmp_path, f"{HEADER}{first.name},{COUNTS}\n{second.name},{COUNTS}\n")
    path = tmp_path / "votes.csv"
    path.write_text(f"annotator,file,score\np1,{first.name},3\np2,{first.name},5\n")
    begun = vote_import_begin(campaign=campaign, reader=READERS["votes-csv"], source=path.name)
    assert vote_import_run(vote_import=begun, path=path).state == VoteImport.State.DONE
    data, _ = training_data(campaign, exposed_answers=False)
    assert data.aggregated.image_ids.tolist() == [second.pk]
    given = data.scores[data.image_ids == first.pk]
    assert {3, 5} <= set(given.tolist())
    assert training_answers(campaign, since=0, exposed_answers=False).histograms == 1


def test_a_histogram_on_another_scale_keeps_its_votes_and_its_mean(
    campaign: Campaign, images: list[Image], tmp_path: Path
) -> None:
    first = of_split(images, "train")[0]
    import_text(campaign, tmp_path, f"file,1,2,3,4,5\n{first.name},1,2,4,0,1\n", scale=(1, 5))
    counts = training_data(campaign, exposed_answers=False)[0].aggregated.counts[0]
    assert counts.sum() == pytest.approx(8)
    mean_of_file = (1 * 1 + 2 * 2 + 3 * 4 + 5) / 8
    assert counts @ np.arange(1, 11) / 8 == pytest.approx(1 + (mean_of_file - 1) * 9 / 4)


def test_a_decision_replaces_the_histogram_too(
    campaign: Campaign, images: list[Image], people: dict[str, User], tmp_path: Path
) -> None:
    first, second = of_split(images, "train")[:2]
    import_text(campaign, tmp_path, HEADER + "".join(f"{image.name},{COUNTS}\n" for image in (first, second)))
    Adjudication.objects.create(campaign=campaign, image=first, reviewer=people["rita"], watch="yes", score=9)
    Campaign.objects.update(decisions_as_labels=True)
    campaign.refresh_from_db()
    data, used = training_data(campaign, exposed_answers=False)
    assert (used.count, data.aggregated.image_ids.tolist()) == (1, [second.pk])


def test_the_run_says_how_many_histograms_it_learned_from_and_keeps_them(
    campaign: Campaign, images: list[Image], tmp_path: Path, client_of: Callable[[str], Client]
) -> None:
    train = of_split(images, "train")
    import_text(campaign, tmp_path, HEADER + "".join(f"{image.name},{COUNTS}\n" for image in train[:2]))
    assert training_answers(campaign, since=0, exposed_answers=False).histograms == 2
    client = client_of("rita")
    page = " ".join(client.get(reverse("models", args=["watches"])).content.decode().split())
    assert 'from the imported histograms of <strong class="number">2</strong> photos' in page
    run = run_made(campaign)
    assert run.histogram_count == 2
    page = " ".join(client.get(reverse("run", args=["watches", run.pk])).content.decode().split())
    assert "and from imported histograms of the votes on 2 photos" in page
    assert client.get(f"/api/campaigns/watches/runs/{run.pk}").json()["histograms"] == 2
    fingerprint = run.fingerprint
    VoteImport.objects.all().delete()
    TrainingRun.objects.filter(pk=run.pk).update(state=TrainingRun.State.QUEUED)
    run_perform(run_id=run.pk, attempt=run_claim(run_id=run.pk) or 0)
    run.refresh_from_db()
    assert (run.attempt, run.histogram_count, run.fingerprint) == (2, 2, fingerprint)


def test_photos_with_histograms_count_as_learned_after_such_a_run(
    campaign: Campaign, images: list[Image], tmp_path: Path
) -> None:
    first = of_split(images, "train")[0]
    Annotation.objects.filter(image=first).delete()
    import_text(campaign, tmp_path, f"{HEADER}{first.name},{COUNTS}\n")
    assert first.pk not in learned_photos(campaign, [first.pk])
    run_made(campaign)
    assert learned_photos(campaign, [first.pk]) == {first.pk}
