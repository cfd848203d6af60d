"""Simulated campaigns: what is asked, what is learned, and that the result is always the same."""

from dataclasses import replace

import numpy as np
import pytest

from inference.acquisition.registry import STRATEGIES
from training.simulation.defaults import made_ratings
from training.simulation.experiment import Experiment, experiment_run
from training.simulation.mixture import mixture_read
from training.simulation.ratings import QUALITY, WATCH, Ratings, VoteTable
from training.simulation.replay import Plan, Replay, campaign_replay, photos_split


@pytest.fixture(scope="module")
def watches() -> Ratings:
    return made_ratings(WATCH, photos=240, seed=5)


@pytest.fixture(scope="module")
def rated() -> Ratings:
    return made_ratings(QUALITY, photos=90, seed=5)


def replayed(ratings: Ratings, text: str, *, budgets: tuple[int, ...], votes: int = 1, **more: float) -> Replay:
    return campaign_replay(ratings, mixture_read(text, STRATEGIES), Plan(budgets, votes, **more), seed=1)


def test_near_duplicates_are_never_both_asked_about_and_tested(rated: Ratings):
    photos, tested = photos_split(rated.groups, seed=3)

    assert not set(rated.groups[photos]) & set(rated.groups[tested])
    assert sorted([*photos, *tested]) == list(range(90))
    assert len(tested) == 30


def test_photos_of_another_folder_are_all_tested_and_never_asked_about(rated: Ratings):
    both = rated.tested_on(made_ratings(QUALITY, photos=20, seed=9))

    photos, tested = photos_split(both.groups, seed=3, only_tested=both.only_tested)

    assert tested.tolist() == list(range(90, 110))
    assert photos.max() < 90
    assert len(photos) == 60
    assert both.source == "simulated annotators with invented numbers on 90 photos, tested on 20 others"
    with pytest.raises(ValueError, match="other answers"):
        rated.tested_on(made_ratings(WATCH, photos=20, seed=9))


def test_people_of_the_tested_folder_are_not_counted(rated: Ratings):
    def with_votes(ratings: Ratings, people: int) -> Ratings:
        photo = np.repeat(np.arange(len(ratings)), people)
        votes = VoteTable(photo, np.tile(np.arange(people), len(ratings)), np.full(len(photo), 4.0))
        return replace(ratings, votes=votes, panel=None)

    both = with_votes(rated, 3).tested_on(with_votes(made_ratings(QUALITY, photos=20, seed=9), 5))

    assert both.source == "270 real votes of 3 people on 90 photos, tested on 20 others, each drawn once"


def test_a_campaign_ends_when_every_photo_has_its_votes(watches: Ratings):
    found = replayed(watches, "random", budgets=(40, 160, 400, 500))

    assert found.answers == (40, 160)
    assert found.figures["rated"] == (40.0, 160.0)
    assert found.figures["f1"][-1] == found.ceiling["f1"]


def test_fewest_votes_first_gives_every_photo_as_many_votes(rated: Ratings):
    found = replayed(rated, "fewest_votes", budgets=(60, 120), votes=5)

    assert found.figures["rated"] == (60.0, 60.0)
    by_chance = replayed(rated, "random", budgets=(60,), votes=5)
    assert by_chance.figures["rated"][0] < 60


def test_margin_sampling_finds_watches_before_random_order_does(watches: Ratings):
    ours, random = (replayed(watches, name, budgets=(60,)) for name in ("watch_margin", "random"))

    assert ours.figures["watches"][0] > random.figures["watches"][0] + 3


def test_with_labels_of_one_kind_no_watch_is_found(watches: Ratings):
    only = replace(watches, truth=np.zeros_like(watches.truth))

    assert replayed(only, "watch_margin", budgets=(30,)).figures["f1"] == (0.0,)


def test_model_and_votes_together_are_nearer_to_the_truth_than_votes_alone(rated: Ratings):
    found = replayed(rated, "fewest_votes", budgets=(60, 180), votes=5)

    assert all(np.array(found.figures["mixed_rmse"]) < np.array(found.figures["mos_rmse"]))
    assert found.ceiling["mos_rmse"] < found.figures["mos_rmse"][-1]


@pytest.mark.parametrize("name", ["information_gain", "typical_first", "diverse_batch", "disagreement"])
def test_every_strategy_of_scores_can_be_played(rated: Ratings, name: str):
    assert replayed(rated, name, budgets=(20, 80), votes=3).answers == (20, 80)


@pytest.mark.parametrize("name", ["watch_entropy", "watch_bald", "relabel_or_new", "watch_margin:0.8,random:0.2"])
def test_every_strategy_of_labels_can_be_played(watches: Ratings, name: str):
    assert replayed(watches, name, budgets=(20, 80), votes=3, clicks=0.1).answers == (20, 80)


def test_other_processes_find_the_same(watches: Ratings):
    experiment = Experiment(
        (mixture_read("random", STRATEGIES), mixture_read("watch_margin", STRATEGIES)),
        Plan((20, 40), 1),
        seeds=(1, 2),
        clicks=(0.0, 0.1),
    )
    told: list[tuple[int, int]] = []

    here = experiment_run(watches, experiment, processes=0)
    there = experiment_run(watches, experiment, processes=2, progress=lambda *done: told.append(done))

    assert here == there
    assert [(one.label, one.clicks, one.seed) for one in here[:3]] == [
        ("random", 0.0, 1),
        ("random", 0.0, 2),
        ("random", 0.1, 1),
    ]
    assert told[0] == (0, 8)
    assert told[-1] == (8, 8)
