"""What recipes learn from when some photos have imported histograms."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from training.learning.corrected_scores import corrected_scores
from training.learning.dataset import Histograms, Snapshot, rated_images


def snapshot() -> Snapshot:
    """Return four people's votes on six photos of 1 to 5, and histograms of photo 0 and of photo 9."""
    photos, people = np.repeat(np.arange(6), 4), np.tile(np.arange(1, 5), 6)
    scores = np.clip(1 + photos * 0.8 + (people - 2) * 0.5, 1, 5).round().astype(np.int16)
    return Snapshot(
        image_ids=photos,
        sha256=np.array([f"{photo:064d}" for photo in photos]),
        groups=np.array([str(photo) for photo in photos]),
        annotator_ids=people,
        scores=scores,
        watch=np.ones(len(photos), dtype=np.int8),
        aggregated=Histograms(
            image_ids=np.array([9, 0]),
            sha256=np.array([f"{9:064d}", f"{0:064d}"]),
            groups=np.array(["9", "0"]),
            counts=np.array([[0.0, 0, 10, 10, 0], [0, 0, 0, 0, 10000.0]]),
        ),
    )


def test_a_file_keeps_answers_and_histograms(tmp_path: Path) -> None:
    before = snapshot()
    before.save(tmp_path / "a.npz")
    after = Snapshot.load(tmp_path / "a.npz")
    assert after.fingerprint == before.fingerprint
    assert after.photo_ids.tolist() == [0, 1, 2, 3, 4, 5, 9]
    assert after.aggregated.counts.tolist() == before.aggregated.counts.tolist()
    assert after.of_images(np.array([1, 9])).photo_ids.tolist() == [1, 9]


def test_the_fingerprint_without_histograms_is_that_of_the_answers_alone() -> None:
    plain = replace(snapshot(), aggregated=Histograms())
    assert plain.fingerprint != snapshot().fingerprint
    assert (
        plain.fingerprint
        == Snapshot(
            plain.image_ids, plain.sha256, plain.groups, plain.annotator_ids, plain.scores, plain.watch
        ).fingerprint
    )


def test_scores_of_photos_with_both_weigh_votes_and_histogram() -> None:
    data = snapshot()
    rated = rated_images(data, lowest=1, highest=5)
    scores = corrected_scores(rated)
    assert scores.values[-1] == pytest.approx(2.5)  # the histogram alone
    assert scores.values[0] == pytest.approx(4.0, abs=0.02)  # 10,000 votes on 5 against four on 1 or 2
    plain = corrected_scores(rated_images(replace(data, aggregated=Histograms()), lowest=1, highest=5))
    assert scores.values[1:6] == pytest.approx(plain.values[1:])
    assert (scores.variance > 0).all()
    assert scores.variance[0] < plain.variance[0]


def test_a_part_keeps_its_histograms() -> None:
    rated = rated_images(snapshot(), lowest=1, highest=5)
    part = rated.part(np.isin(rated.image_ids, [1, 9]))
    assert part.aggregated is not None
    assert part.aggregated.tolist() == [[0] * 5, [0, 0, 10, 10, 0]]
    assert corrected_scores(part).values[1] == pytest.approx(2.5)


def test_histograms_of_another_scale_are_refused() -> None:
    with pytest.raises(ValueError, match="are not on the scale"):
        rated_images(replace(snapshot(), scores=np.ones(24, np.int16)), lowest=1, highest=4)
