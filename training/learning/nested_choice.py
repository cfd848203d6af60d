"""The choice of a recipe by cross-validation, and what the choice is worth on photos that had no part in it."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t

from annotation.measures.distribution import rps
from training.learning.quality_data import QualityData, predicted
from training.learning.recipe import FittedHeads, History, Recipe, Report
from training.learning.sampling import group_folds

Floats = NDArray[np.float64]

# In the figures: predicting the votes of all other photos, which is no recipe.
OVERALL = "overall"
# By how many standard errors another candidate must be better than the favourite.
_ERRORS = 2.0


def nested_choice(
    data: QualityData, candidates: Sequence[Recipe], *, favourite: Recipe, folds: int, seed: int, report: Report
) -> FittedHeads:
    """Return what the best of the candidates learns from all photos, with the figures of the comparison.

    Each candidate, with all the choices that it makes itself, learns from all folds of near-duplicate groups but one
    and predicts the votes of that one. The candidate with the lowest mean ranked probability score (RPS) wins if it is
    better than `favourite` by more than twice the standard error of the difference; otherwise the favourite wins. A
    choice between recipes that are nearly equal would be a random one. With fewer than two groups nothing can be
    compared, and the favourite wins.

    The winner's RPS is too good, because it was chosen by it. `nested_rps` is that of the choice itself: for each fold,
    the RPS of the candidate that wins on the other folds. `gain` compares it with the best prediction that learns
    nothing from features, chosen in the same way: the first two candidates, which are the prior, calibrated or not, and
    the votes of the other folds for every photo.
    """
    groups = data.rated.groups
    count = min(folds, len(np.unique(groups)))
    if count < 2:
        return favourite.fit(data, config=favourite.config_class(), seed=seed, report=report)
    fold_of = group_folds(groups, folds=count, seed=seed)
    steps = len(candidates) * count + 1
    scores: dict[str, Floats] = {}
    for place, recipe in enumerate(candidates):
        of_photos = np.empty(len(data))
        for fold in range(count):
            share = (place * count + fold) / steps

            def comparing(
                _stage: str, _share: float, _history: History, label: str = recipe.label, done: float = share
            ) -> None:
                report(f"Comparing recipes: {label}", done, [])

            held = fold_of == fold
            of_photos[held] = _left_out_rps(recipe, data, held, seed=seed, report=comparing)
        scores[recipe.name] = of_photos
    names = list(scores)
    chosen = _winner(scores, names, favourite.name, np.ones(len(data), dtype=bool), groups)
    winner = next(recipe for recipe in candidates if recipe.name == chosen)

    def learning(stage: str, share: float, history: History) -> None:
        report(stage, (steps - 1 + share) / steps, history)

    fitted = winner.fit(data, config=winner.config_class(), seed=seed, report=learning)
    scores[OVERALL] = _overall_rps(data, fold_of)
    plain = [*names[:2], OVERALL]
    comparison = choice_figures(scores, favourite.name, fold_of, groups, names=names, plain=plain)
    return FittedHeads(fitted.heads, {**fitted.figures, "comparison": comparison}, fitted.history)


def choice_figures(
    scores: Mapping[str, Floats],
    favourite: str,
    fold_of: NDArray[np.int64],
    groups: NDArray[np.generic],
    *,
    names: Sequence[str],
    plain: Sequence[str],
) -> dict[str, Any]:
    """Return the figures of a comparison as JSON values.

    `scores`: RPS of each photo [N]; `names`: of the candidates; `plain`: those that learn nothing from features.
    """
    nested = _chosen_elsewhere(scores, names, favourite, fold_of, groups)
    baseline = _chosen_elsewhere(scores, list(plain), plain[0], fold_of, groups)
    gain, error = mean_and_error(baseline - nested, groups)
    count = int(fold_of.max()) + 1
    # Every two folds learned from nearly the same photos, so their errors go together (Nadeau & Bengio 2003, 'Inference
    # for the generalization error', with K folds: 1/K + 1/(K − 1) in place of 1/K).
    half = float(t.ppf(0.975, max(len(np.unique(groups)) - 1, 1))) * error * np.sqrt(1 + count / (count - 1))
    return {
        "chosen": _winner(scores, names, favourite, np.ones(len(groups), dtype=bool), groups),
        "favourite": favourite,
        "folds": count,
        "images": len(fold_of),
        "groups": len(np.unique(groups)),
        "rps": {name: float(one.mean()) for name, one in scores.items()},
        "nested_rps": float(nested.mean()),
        "gain": gain,
        "gain_low": gain - half,
        "gain_high": gain + half,
    }


def _left_out_rps(recipe: Recipe, data: QualityData, held: NDArray[np.bool_], *, seed: int, report: Report) -> Floats:
    """Return the RPS [M] of the photos `held` by heads that learned from the others."""
    fitted = recipe.fit(data.part(~held), config=recipe.config_class(), seed=seed, report=report)
    return rps(predicted(fitted.heads, data.features[held]), data.rated.histograms[held])


def _overall_rps(data: QualityData, fold_of: NDArray[np.int64]) -> Floats:
    """Return the RPS [N] of predicting, for every photo, how people voted on all photos of the other folds."""
    histograms = data.rated.histograms.astype(np.float64)
    result = np.empty(len(data))
    for fold in np.unique(fold_of):
        held = fold_of == fold
        overall = histograms[~held].sum(axis=0)
        result[held] = rps(np.tile(overall, (int(held.sum()), 1)), histograms[held])
    return result


def _winner(
    scores: Mapping[str, Floats],
    names: Sequence[str],
    favourite: str,
    rows: NDArray[np.bool_],
    groups: NDArray[np.generic],
) -> str:
    """Return the candidate that wins on the photos selected by `rows` [N]."""
    best = min(names, key=lambda name: float(scores[name][rows].mean()))
    gain, error = mean_and_error((scores[favourite] - scores[best])[rows], groups[rows])
    return best if gain > _ERRORS * error else favourite


def _chosen_elsewhere(
    scores: Mapping[str, Floats],
    names: Sequence[str],
    favourite: str,
    fold_of: NDArray[np.int64],
    groups: NDArray[np.generic],
) -> Floats:
    """Return the RPS [N] of each photo by the candidate that wins on the other folds."""
    result = np.empty(len(fold_of))
    for fold in np.unique(fold_of):
        held = fold_of == fold
        result[held] = scores[_winner(scores, names, favourite, ~held, groups)][held]
    return result


def mean_and_error(values: Floats, groups: NDArray[np.generic]) -> tuple[float, float]:
    """Return the mean of `values` [N] and its standard error, with all photos of a group as one observation."""
    _, member_of = np.unique(groups, return_inverse=True)
    mean = float(values.mean())
    sums = np.bincount(member_of, values - mean)
    count = len(sums)
    error = float(np.sqrt((sums**2).sum() * count / max(count - 1, 1))) / len(values)
    return mean, error
