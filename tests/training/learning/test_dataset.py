"""Training snapshots (fingerprints, files, histograms), folds, and principal directions of features."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.learning import sampling
from training.learning.dataset import Snapshot, rated_images
from training.learning.sampling import group_folds, principal_directions


def snapshot_of(rows: list[tuple[int, str, str, int, int, int]]) -> Snapshot:
    """Return the snapshot of rows (image, sha256, group, annotator, score, watch)."""
    columns = list(zip(*rows, strict=True)) if rows else [()] * 6
    return Snapshot(
        image_ids=np.array(columns[0], dtype=np.int64),
        sha256=np.array(columns[1], dtype="U64"),
        groups=np.array(columns[2], dtype="U36"),
        annotator_ids=np.array(columns[3], dtype=np.int64),
        scores=np.array(columns[4], dtype=np.int16),
        watch=np.array(columns[5], dtype=np.int8),
    )


ROWS = [(7, "aa", "g", 1, 5, 1), (7, "aa", "g", 2, 9, 0), (3, "bb", "h", 1, 10, -1)]


def test_the_fingerprint_does_not_depend_on_order_or_row_numbers() -> None:
    other_row_numbers = [(image + 100, *rest) for image, *rest in reversed(ROWS)]
    assert snapshot_of(ROWS).fingerprint == snapshot_of(other_row_numbers).fingerprint
    assert len(snapshot_of(ROWS).fingerprint) == 64


@pytest.mark.parametrize("column", [1, 3, 4, 5])
def test_the_fingerprint_depends_on_every_answer(column: int) -> None:
    changed = [list(row) for row in ROWS]
    changed[0][column] = "cc" if column == 1 else 4
    assert snapshot_of([tuple(row) for row in changed]).fingerprint != snapshot_of(ROWS).fingerprint


def test_a_saved_snapshot_can_be_loaded(tmp_path: Path) -> None:
    path = tmp_path / "run" / "snapshot.npz"
    snapshot_of(ROWS).save(path)
    loaded = Snapshot.load(path)
    assert loaded.fingerprint == snapshot_of(ROWS).fingerprint
    assert loaded.groups.tolist() == snapshot_of(ROWS).groups.tolist()
    assert [file.name for file in path.parent.iterdir()] == ["snapshot.npz"]


def test_votes_are_counted_per_image() -> None:
    rated = rated_images(snapshot_of(ROWS), lowest=1, highest=10)
    assert rated.image_ids.tolist() == [3, 7]
    assert rated.histograms[1].nonzero()[0].tolist() == [4, 8]
    assert rated.watch_yes.tolist() == [0, 1]
    assert rated.watch_no.tolist() == [0, 1]
    assert rated.groups.tolist() == ["h", "g"]
    assert len(rated_images(snapshot_of([]), lowest=1, highest=10)) == 0


def test_scores_outside_the_scale_are_refused() -> None:
    with pytest.raises(ValueError, match=r"outside the scale 1 … 5"):
        rated_images(snapshot_of(ROWS), lowest=1, highest=5)


def test_of_images_keeps_only_the_given_photos() -> None:
    assert snapshot_of(ROWS).of_images(np.array([3])).image_ids.tolist() == [3]


@given(st.lists(st.integers(0, 12), min_size=2, max_size=60), st.integers(2, 5), st.integers(0, 99))
def test_a_group_is_never_split_between_folds(groups: list[int], folds: int, seed: int) -> None:
    fold_of = group_folds(np.array(groups), folds=folds, seed=seed)
    assert all(len({fold for fold, one in zip(fold_of, groups, strict=True) if one == group}) == 1 for group in groups)
    sizes = np.bincount(fold_of, minlength=folds)
    assert sizes.max() - sizes.min() <= np.unique(groups, return_counts=True)[1].max()
    assert (fold_of == group_folds(np.array(groups), folds=folds, seed=seed)).all()


def test_one_fold_is_refused() -> None:
    with pytest.raises(ValueError, match="two folds"):
        group_folds(np.arange(4), folds=1, seed=1)


def test_directions_are_orthonormal_and_span_the_features(rng: np.random.Generator) -> None:
    features = rng.normal(size=(12, 40)).astype(np.float32)
    directions = principal_directions(features, count=20, seed=1)
    assert directions.shape == (40, 12)  # at most one direction per image
    assert directions.T @ directions == pytest.approx(np.eye(12), abs=1e-4)
    assert features @ directions @ directions.T == pytest.approx(features, abs=1e-4)
    # The first direction has the largest variance, as in the singular value decomposition.
    first = np.linalg.svd(features, full_matrices=False)[2][0]
    assert abs(first @ directions[:, 0]) == pytest.approx(1.0, abs=1e-4)


def test_directions_of_many_images_come_from_a_sample(
    monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator
) -> None:
    monkeypatch.setattr(sampling, "_IMAGES_FOR_DIRECTIONS", 6)  # the real limit would make the test slow
    features = rng.normal(size=(40, 12)).astype(np.float32)
    first, second = (principal_directions(features, count=20, seed=1) for _ in range(2))
    assert first.shape == (12, 6)
    assert (first == second).all()
    assert not np.allclose(first, principal_directions(features, count=20, seed=2))
