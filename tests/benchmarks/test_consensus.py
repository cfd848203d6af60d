"""The consensus benchmark: its rivals are the published methods, and missing votes are named."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks._claims import Setting
from benchmarks._consensus_labels import likelihood_labels
from benchmarks._consensus_screening import RULES, Screened
from benchmarks._draws import panel_places, simulated_panel, votes_a_photo, with_clickers
from benchmarks._gains import gain
from benchmarks._mos_rivals import RIVALS, corrected_mos, likelihood, median_score, trimmed_mean, z_scores
from benchmarks._votes import FILES, Votes, histograms, missing, oasis, oasis_repeats
from benchmarks.consensus import measure
from tests.annotation.consensus.published_results import CROWD_KIT_POSTERIOR, LABELS, SCORES, SUREAL_QUALITY


@pytest.fixture
def panel(rng):
    return simulated_panel(60, 12, 5, clickers=0.0, rng=rng)


def test_maximum_likelihood_is_that_of_sureal():
    photo, rater = np.nonzero(SCORES)
    np.testing.assert_allclose(likelihood(photo, rater, SCORES[photo, rater].astype(float)), SUREAL_QUALITY, atol=2e-4)


def test_labels_without_a_prior_are_those_of_crowd_kit():
    photo, rater = np.nonzero(LABELS >= 0)
    votes = Votes(photo, rater, LABELS[photo, rater].astype(float))
    np.testing.assert_allclose(likelihood_labels(votes), CROWD_KIT_POSTERIOR, atol=2e-4)


def test_simple_rivals_by_hand():
    photo, rater, score = np.array([0, 0, 0, 1, 1]), np.array([0, 1, 2, 0, 1]), np.array([1.0, 2.0, 6.0, 3.0, 5.0])
    assert median_score(photo, rater, score).tolist() == [2, 4]
    assert trimmed_mean(photo, rater, score).tolist() == [2, 4]
    # Annotators 0 and 1 have the z-scores −1 and 1; annotator 2, with a single vote, 0.
    spread = score.std()
    np.testing.assert_allclose(z_scores(photo, rater, score), [3.4 - 2 / 3 * spread, 3.4 + spread])


@pytest.mark.parametrize("method", [*RIVALS.values(), corrected_mos], ids=[*RIVALS, "corrected"])
def test_every_method_ranks_photos_that_differ_clearly(method):
    photo, rater = np.repeat([0, 1, 3], 4), np.tile(np.arange(4), 3)
    estimate = method(photo, rater, np.array([2.0, 3, 2, 1, 5, 6, 4, 5, 9, 9, 10, 8]))
    assert np.isnan(estimate[2])
    assert estimate[0] < estimate[1] < estimate[3]


def test_draws_have_the_asked_number_of_votes(panel, rng):
    assert set(np.bincount(votes_a_photo(panel.votes, 3, rng).photo)) == {3}
    places = panel_places(panel.votes, 2, rng)
    assert len(np.unique(panel.votes.rater[places])) == 5  # 25 votes a person, 120 wanted
    assert len(places) == np.isin(panel.votes.rater, panel.votes.rater[places]).sum()


def test_clickers_are_a_share_of_the_people_and_the_rules_find_them(rng):
    votes = simulated_panel(200, 10, 5, clickers=0.0, rng=rng, noise=0.8).votes
    clicked_votes, clicked = with_clickers(votes, 0.1, (1, 10), rng)
    (clicker,) = np.unique(votes.rater[clicked])
    np.testing.assert_array_equal(clicked_votes.score[~clicked], votes.score[~clicked])
    screened = Screened.of(clicked_votes)
    for name in RULES.keys() - {"BT.500"}:
        assert np.flatnonzero(RULES[name](screened)).tolist() == [clicker], name


def test_the_correlation_with_the_others_leaves_the_own_votes_out(panel):
    """Changed scores of one person change nobody's quality by the others that this person is compared with."""
    votes = panel.votes
    mine = votes.rater == 0
    shifted = Votes(votes.photo, votes.rater, np.where(mine, votes.score + 1, votes.score))
    before, after = (Screened.of(one).left_out[0][0] for one in (votes, shifted))
    np.testing.assert_allclose(after, before, atol=0.02)  # only the lines of the others follow, by a little


def test_the_verdict_of_a_gain_is_that_of_its_interval():
    assert gain(np.array([0.5, 0.6, 0.7]), np.array([0.4, 0.5, 0.61])).text().endswith("better)")
    assert "cannot tell" in gain(np.array([0.5, 0.3]), np.array([0.4, 0.5])).text()
    assert gain(np.zeros(3), np.array([0.1, 0.11, 0.1])).text(100, " points") == "-10.3 points (-11.8 to -8.9, worse)"


def test_without_votes_of_people_only_simulated_ones_are_measured(capsys, tmp_path: Path):
    claims = list(measure(Setting(data=tmp_path, tiny=True)))
    assert claims
    assert all("simulated annotators" in claim.claim for claim in claims)
    errors = capsys.readouterr().err
    assert errors.count("\n") == 1
    assert all(name in errors for name in FILES)


def test_files_are_read_as_they_are_published(tmp_path: Path):
    for files in FILES.values():
        for file in files:
            (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / "votes/ava_histograms_idealo.json").write_text('[{"image_id": "1", "label": [0, 2, 1]}]')
    (tmp_path / "votes/dpchallenge_histograms.txt").write_text("1 10007 55 5.5 1 2 3 4 5 6 7 8 9 10\n")
    koniq = "image_name,c1,c2,c3,c4,c5,c_total,MOS,SD,set\na.jpg,0,.2,.3,.5,0,10,60,1,test\n"
    (tmp_path / "votes/koniq10k_distributions_sets.csv").write_text(koniq)
    (tmp_path / "oasis/votes.csv").write_text("annotator,file,score\n9,b.jpg,3\n2,a.jpg,7\n9,a.jpg,1\n")
    repeats = "annotator,repetition,file,score\n4,1,b.jpg,2\n4,2,b.jpg,3\n5,1,b.jpg,2\n5,2,b.jpg,31\n6,1,a.jpg,4\n"
    (tmp_path / "oasis/repeats.csv").write_text(repeats)

    assert missing(tmp_path) == ["observers", "bluebirds"]
    assert histograms(tmp_path, "AVA").tolist() == [[0, 2, 1]]
    assert histograms(tmp_path, "DPChallenge").tolist() == [list(range(1, 11))]
    assert histograms(tmp_path, "KonIQ-10k").tolist() == [[0, 2, 3, 5, 0]]
    votes, files = oasis(tmp_path)
    assert (votes.photo.tolist(), votes.rater.tolist(), votes.score.tolist()) == ([1, 0, 0], [1, 0, 1], [3, 7, 1])
    first, second = oasis_repeats(tmp_path, files)
    assert (first.photo.tolist(), first.score.tolist(), second.score.tolist()) == ([1], [2], [3])
