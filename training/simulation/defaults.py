"""What a simulation compares and measures when nothing else is asked for; and generated photos for trials."""

import numpy as np

from training.simulation.raters import RaterPanel
from training.simulation.ratings import QUALITY, WATCH, Layout, Ratings
from training.simulation.replay import TESTED_SHARE

#: Mixtures by task, the two baselines first.
MIXTURES = {
    QUALITY: (
        "random",
        "fewest_votes",
        "information_gain",
        "typical first=typical_first@60>fewest_votes",
        "diverse first=diverse_batch@60>fewest_votes",
    ),
    WATCH: ("random", "fewest_votes", "watch_margin", "watch_bald", "margin and audit=watch_margin:0.8,random:0.2"),
}
VOTES_PER_PHOTO = {QUALITY: 30, WATCH: 1}
_BUDGETS = (20, 40, 60, 80, 100, 150, 200, 300, 400, 600, 900, 1200, 1500, 1800, 2200, 2800, 4000, 6000, 10_000)
# Fewer answers than this say nothing about a line.
_FIRST = {QUALITY: 50, WATCH: 20}
# With so many answers a photo, quality is about as good as it will be.
_MOST = {QUALITY: 9, WATCH: 1}


def budgets_for(ratings: Ratings, *, votes_per_photo: int) -> tuple[int, ...]:
    """Return numbers of answers for a curve, as far as the photos go."""
    photos = len(ratings) * (1 - TESTED_SHARE)
    most = int(photos * min(votes_per_photo, _MOST[ratings.task]))
    chosen = tuple(one for one in _BUDGETS if _FIRST[ratings.task] <= one <= most)
    return chosen or (max(most, 1),)


def made_ratings(task: str, *, photos: int, seed: int) -> Ratings:
    """Return generated photos, whose scores or labels are partly in their features; votes are simulated."""
    rng = np.random.default_rng(seed)
    layout = Layout(pooled_start=12, pooled_stop=36)
    features = rng.normal(size=(photos, layout.pooled_stop)).astype(np.float32)
    groups = np.arange(photos) // 2
    if task == WATCH:
        truth = (rng.random(photos) < 0.15).astype(np.float64)
        features[:, layout.pooled_start : layout.pooled_start + 3] += 2.5 * truth[:, np.newaxis].astype(np.float32)
        return Ratings(WATCH, "generated photos", features, layout, groups, truth)
    weights = rng.normal(size=layout.pooled_start) / np.sqrt(layout.pooled_start)
    truth = np.clip(4 + features[:, : layout.pooled_start] @ weights + 0.4 * rng.normal(size=photos), 1, 7)
    panel = RaterPanel(
        fitted_on="no panel: invented numbers for a trial",
        annotators=0,
        votes=0,
        lowest=1,
        highest=7,
        bias=(0.0, 0.7),
        gain=(1.0, 0.3),
        log_noise=(0.2, 0.25),
        bias_with_gain=0.0,
        bias_with_noise=0.0,
        gain_with_noise=0.0,
        vote_deviation=1.4,
        simulated_deviation=1.4,
    )
    return Ratings(QUALITY, "generated photos", features, layout, groups, truth.astype(np.float64), 1, 7, panel=panel)
