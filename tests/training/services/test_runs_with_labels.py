"""A training run learns from imported watch labels of train photos, and says how many there were."""

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
from training.learning.dataset import Snapshot, rated_images
from training.selectors.runs import learned_photos, training_answers
from training.selectors.snapshots import holdout_opinions, training_data


@pytest.fixture
def train(campaign: Campaign, make_rated_images: Callable[..., Any]) -> list[Image]:
    """Return three photos of the train split; there are two of the holdout too, and all have features and votes."""
    make_rated_images(train=3, holdout=2, features=8)
    return list(Image.objects.filter(split="train").order_by("pk"))


def import_text(campaign: Campaign, folder: Path, text: str, reader: str = "watch-csv") -> None:
    path = folder / "labels.csv"
    path.write_text(text)
    begun = vote_import_begin(campaign=campaign, reader=READERS[reader], source=path.name)
    done = vote_import_run(vote_import=begun, path=path)
    assert done.state == VoteImport.State.DONE, done.problems


def labels_of(campaign: Campaign) -> dict[int, int]:
    labels = training_data(campaign, exposed_answers=False)[0].labels
    return dict(zip(labels.image_ids.tolist(), labels.watch.tolist(), strict=True))


def test_labels_of_train_photos_are_learned_from_and_are_no_answers(
    campaign: Campaign, train: list[Image], tmp_path: Path
) -> None:
    before, _ = training_data(campaign, exposed_answers=False)
    evaluated = holdout_opinions(campaign).fingerprint
    text = "".join(f"{image.name},{'yes' if image == train[0] else 'no'}\n" for image in Image.objects.all())
    import_text(campaign, tmp_path, f"file,watch\n{text}")
    data, _ = training_data(campaign, exposed_answers=False)
    assert labels_of(campaign) == {image.pk: int(image == train[0]) for image in train}
    assert len(data) == len(before)
    assert data.fingerprint != before.fingerprint
    assert holdout_opinions(campaign).fingerprint == evaluated
    rated, plain = (rated_images(one, lowest=1, highest=10) for one in (data, before))
    assert rated.histograms.tolist() == plain.histograms.tolist()
    assert rated.watch_yes.tolist() == plain.watch_yes.tolist()


def test_photos_with_a_label_alone_have_no_score(campaign: Campaign, train: list[Image], tmp_path: Path) -> None:
    Annotation.objects.all().delete()
    import_text(campaign, tmp_path, f"file,watch\n{train[0].name},yes\n{train[1].name},unsure\n")
    data, _ = training_data(campaign, exposed_answers=False)
    assert data.photo_ids.tolist() == [train[0].pk]  # 'unsure' says nothing
    rated = rated_images(data, lowest=1, highest=10)
    assert rated.has_scores.tolist() == [False]
    assert rated.watch_labels is not None
    assert rated.watch_labels.tolist() == [1]


def test_of_two_imports_the_newest_label_counts(campaign: Campaign, train: list[Image], tmp_path: Path) -> None:
    import_text(campaign, tmp_path, f"file,watch\n{train[0].name},yes\n")
    import_text(campaign, tmp_path, f"file,watch\n{train[0].name},no\n")
    assert labels_of(campaign) == {train[0].pk: 0}


def test_imported_single_votes_about_a_watch_count_instead_of_the_label(
    campaign: Campaign, train: list[Image], tmp_path: Path
) -> None:
    import_text(campaign, tmp_path, "file,watch\n" + "".join(f"{image.name},yes\n" for image in train))
    text = f"annotator,file,score,watch\np1,{train[0].name},3,no\np1,{train[1].name},5,\n"
    import_text(campaign, tmp_path, text, "votes-csv")
    assert set(labels_of(campaign)) == {train[1].pk, train[2].pk}  # a vote with a score alone is about no watch
    assert training_answers(campaign, since=0, exposed_answers=False).labels == 2


def test_withdrawn_and_damaged_photos_and_those_with_a_decision_have_no_label(
    campaign: Campaign, train: list[Image], people: dict[str, User], tmp_path: Path
) -> None:
    import_text(campaign, tmp_path, "file,watch\n" + "".join(f"{image.name},yes\n" for image in train))
    Image.objects.filter(pk=train[0].pk).update(withdrawn_at="2026-03-01T00:00Z")
    assert set(labels_of(campaign)) == {train[1].pk, train[2].pk}
    Adjudication.objects.create(campaign=campaign, image=train[1], reviewer=people["rita"], watch="no", score=3)
    assert set(labels_of(campaign)) == {train[1].pk, train[2].pk}
    campaign.decisions_as_labels = True
    campaign.save()
    assert set(labels_of(campaign)) == {train[2].pk}


def test_the_run_says_how_many_labels_there_were_and_their_photos_count_as_learned(
    campaign: Campaign, train: list[Image], tmp_path: Path, client_of: Callable[[str], Client]
) -> None:
    Annotation.objects.filter(image=train[0]).delete()
    import_text(campaign, tmp_path, f"file,watch\n{train[0].name},yes\n{train[1].name},no\n")
    assert train[0].pk not in learned_photos(campaign, [train[0].pk])
    client = client_of("rita")
    page = " ".join(client.get(reverse("models", args=["watches"])).content.decode().split())
    assert 'would also learn from <strong class="number">2</strong> imported labels.' in page
    run = run_made(campaign)
    assert run.label_count == 2
    page = " ".join(client.get(reverse("run", args=["watches", run.pk])).content.decode().split())
    assert "; the watch head also from 2 imported labels" in page
    assert client.get(f"/api/campaigns/watches/runs/{run.pk}").json()["labels"] == 2
    assert learned_photos(campaign, [train[0].pk]) == {train[0].pk}


def test_a_stored_snapshot_keeps_the_labels(campaign: Campaign, train: list[Image], tmp_path: Path) -> None:
    import_text(campaign, tmp_path, f"file,watch\n{train[0].name},yes\n{train[1].name},no\n")
    data, _ = training_data(campaign, exposed_answers=False)
    data.save(tmp_path / "a.npz")
    kept = Snapshot.load(tmp_path / "a.npz")
    assert kept.fingerprint == data.fingerprint
    assert kept.of_images(np.array([train[1].pk])).labels.watch.tolist() == [0]
    assert train[0].sha256 in kept.all_sha256
