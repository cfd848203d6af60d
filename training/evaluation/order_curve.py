"""Whether the order of the queue pays: what is learned in its order, against what is learned from random photos.

A part of the answers is given to photos drawn at random (the lane `random`). They are what a campaign that draws all
photos at random would have. So a model that learned from the first n of them is compared with one that learned from the
first n of all answers. Both learn with the answers from before the queue began to choose, and both are measured on
random answers to photos in other groups of near-duplicates. Answers to chosen photos measure nothing here, because
they say how hard the chosen photos are.

The learner is plain: ridge regression of the mean score, and logistic regression of the watch label, on principal
components of the stored features. It is the same for both orders, so what differs between them is the order.

Source of the intervals: Nadeau & Bengio (2003), 'Inference for the generalization error' (`curve_gain.fold_interval`).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from annotation.language import gettext_noop
from annotation.measures.intervals import Interval
from training.evaluation.curve_gain import fold_interval

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Progress = Callable[[int, int], None]

#: Below these numbers nothing is measured.
FEWEST_RANDOM, FEWEST_CHOSEN, FEWEST_GROUPS = 100, 100, 40
#: Stored when the orders cannot be compared.
ALL_RANDOM = gettext_noop("All photos so far were drawn at random, so there is no other order to compare with.")
TOO_FEW = gettext_noop(
    "Too few answers to compare the orders: it needs %(needed_random)s answers to random photos and %(needed_chosen)s "
    "to chosen ones since the queue began to choose, in %(needed_groups)s groups of near-duplicates. There are "
    "%(random)s and %(chosen)s, in %(groups)s groups."
)
FOLDS = 10
COMPONENTS = 64
_SHARES = (0.25, 0.4, 0.55, 0.7, 0.85, 1.0)
_RIDGE = np.logspace(-1, 4, 11)


class OrderTask(StrEnum):
    """What is learned."""

    SCORE = "score"
    WATCH = "watch"


@dataclass(frozen=True)
class OrderedAnswers:
    """A answers in the order in which they came, to N photos with features."""

    photos: NDArray[np.int64]
    """Place of the photo in the next two [A]."""
    values: Floats
    """Scores, or 1 for a watch and 0 for none [A]."""
    is_random: Bools
    """The queue drew the photo at random [A]."""
    is_chosen: Bools
    """A lane chose the photo [A]. Neither: imported votes, hidden repeats and the like."""
    features: NDArray[np.float32]
    """[N, D]"""
    groups: NDArray[np.int64]
    """Groups of near-duplicates [N]."""

    @property
    def began(self) -> int:
        """Return the place of the first answer to a chosen photo; A if there is none."""
        return int(self.is_chosen.argmax()) if self.is_chosen.any() else len(self.photos)


@dataclass(frozen=True)
class OrderPoint:
    """The error after a number of answers. Scores: squared error, points². Watches: Brier score. Lower is better."""

    answers: float
    """Since the queue began to choose."""
    error: Interval


@dataclass(frozen=True)
class OrderCurve:
    """Both curves, and their difference at equal numbers of answers."""

    task: OrderTask
    in_order: list[OrderPoint]
    """After the first answers in the order of the queue; the last point has all of them."""
    at_random: list[OrderPoint]
    """After the first random answers."""
    before: int
    """Answers from before the queue chose, which both have learned from."""
    random_answers: int
    """Random answers since."""
    all_answers: int
    """Answers since."""
    gain: Interval
    """How much lower the error is in the order of the queue, as a share of that at random, after as many answers."""
    saved: Interval | None
    """Answers that the order has saved out of `equal`; None when the interval is not inside the curve."""
    equal: float
    """The number of answers at which both are compared: nine tenths of the random ones."""


def order_missing(random_answers: int, chosen: int, groups: int) -> str:
    """Return what is missing for a comparison as an English sentence to store, or ''."""
    if chosen == 0:
        return ALL_RANDOM
    if random_answers >= FEWEST_RANDOM and chosen >= FEWEST_CHOSEN and groups >= FEWEST_GROUPS:
        return ""
    return TOO_FEW % {
        "needed_random": FEWEST_RANDOM,
        "needed_chosen": FEWEST_CHOSEN,
        "needed_groups": FEWEST_GROUPS,
        "random": f"{random_answers:,}",
        "chosen": f"{chosen:,}",
        "groups": f"{groups:,}",
    }


def order_curve(answers: OrderedAnswers, task: OrderTask, *, seed: int, progress: Progress) -> OrderCurve:
    """Measure both orders by cross-validation over groups; exceptions of `progress` pass on.

    Raises ValueError with too few answers (`order_missing`).
    """
    from training.learning.sampling import group_folds

    began = answers.began
    since = np.arange(len(answers.photos)) >= began
    tested = answers.is_random
    groups = np.unique(answers.groups[answers.photos[tested]])
    randoms, chosen = int((since & answers.is_random).sum()), int((since & answers.is_chosen).sum())
    if missing := order_missing(randoms, chosen, len(groups)):
        raise ValueError(missing)
    points = _components(answers.features, seed)
    fold_of = group_folds(answers.groups.astype(str), folds=FOLDS, seed=seed)[answers.photos]
    usable = answers.is_random | answers.is_chosen
    sizes = [round(share * randoms * (FOLDS - 1) / FOLDS) for share in _SHARES]
    whole = int((since & usable).sum()) * (FOLDS - 1) // FOLDS
    longer = [size for size in np.geomspace(sizes[-1], whole, 4)[1:].round().astype(int).tolist() if size > sizes[-1]]
    in_order = np.empty((len(sizes) + len(longer), FOLDS))
    at_random = np.empty((len(sizes), FOLDS))
    total, done = FOLDS * (len(in_order) + len(at_random)), 0
    for fold in range(FOLDS):
        held = tested & (fold_of == fold)
        others = fold_of != fold
        base = np.flatnonzero(others & ~since)
        for errors, rows, wanted in (
            (in_order, np.flatnonzero(others & since & usable), [*sizes, *longer]),
            (at_random, np.flatnonzero(others & since & answers.is_random), sizes),
        ):
            for place, size in enumerate(wanted):
                learned = np.concatenate([base, rows[:size]])
                errors[place, fold] = _error(answers, points, learned, held, task)
                done += 1
                progress(done, total)
    # A fold may have no random answers to test with.
    kept = ~np.isnan(in_order[0])
    in_order, at_random = in_order[:, kept], at_random[:, kept]
    photos = len(np.unique(answers.photos[tested]))

    def interval(of_folds: Floats) -> Interval:
        return fold_interval(of_folds, photos, len(groups))

    reference = at_random[-1]
    differences = [interval(reference - row) for row in in_order]
    scale = float(reference.mean()) or 1.0
    at_equal = differences[len(sizes) - 1]
    return OrderCurve(
        task=task,
        in_order=[
            OrderPoint(float(size), interval(row)) for size, row in zip([*sizes, *longer], in_order, strict=True)
        ],
        at_random=[OrderPoint(float(size), interval(row)) for size, row in zip(sizes, at_random, strict=True)],
        before=int((~since).sum()),
        random_answers=randoms,
        all_answers=int((since & usable).sum()),
        gain=replace(at_equal, value=at_equal.value / scale, low=at_equal.low / scale, high=at_equal.high / scale),
        saved=saved_answers(np.array([*sizes, *longer], dtype=np.float64), differences, float(sizes[-1])),
        equal=float(sizes[-1]),
    )


def saved_answers(sizes: Floats, differences: list[Interval], equal: float) -> Interval | None:
    """Return how many answers fewer the order needs for what `equal` random answers reach, with its interval.

    sizes [S], ascending; differences [S]: error of `equal` random answers less that of the order. The value and both
    ends are where the differences, or their ends, cross zero. None if one of them crosses nowhere within the sizes:
    then the curves cannot tell.
    """
    found = [
        _crossing(sizes, np.array(ends, dtype=np.float64))
        for ends in (
            [one.value for one in differences],
            [one.low for one in differences],
            [one.high for one in differences],
        )
    ]
    if any(one is None for one in found):
        return None
    value, fewest, most = (equal - float(one) for one in found if one is not None)
    first = differences[0]
    return Interval(value, min(fewest, value), max(most, value), first.n, first.groups)


def _crossing(sizes: Floats, differences: Floats) -> float | None:
    """Return the size from which on the differences are above zero, made monotone; None if there is none inside."""
    rising = np.maximum.accumulate(differences)
    if rising[0] > 0 or rising[-1] < 0:
        return None
    after = int(np.argmax(rising >= 0))
    if after == 0 or rising[after] == rising[after - 1]:
        return float(sizes[after])
    share = -rising[after - 1] / (rising[after] - rising[after - 1])
    return float(sizes[after - 1] + share * (sizes[after] - sizes[after - 1]))


def _components(features: NDArray[np.float32], seed: int) -> Floats:
    """Return standardised principal components [N, at most COMPONENTS]."""
    from sklearn.decomposition import PCA

    count = min(COMPONENTS, *features.shape)
    reduced = PCA(count, svd_solver="randomized", random_state=seed).fit_transform(features.astype(np.float64))
    deviation: Floats = reduced.std(axis=0)
    found: Floats = reduced / np.where(deviation > 0, deviation[0] or 1.0, 1.0)
    return found


def _error(answers: OrderedAnswers, points: Floats, learned: NDArray[np.intp], held: Bools, task: OrderTask) -> float:
    """Return the mean squared error of predictions for the held answers, by what the learned ones teach."""
    photos, values = answers.photos[learned], answers.values[learned]
    tested = answers.photos[held]
    if not len(tested):
        return float("nan")
    predicted = _predicted(points, photos, values, tested, task)
    return float(np.mean((predicted - answers.values[held]) ** 2))


def _predicted(
    points: Floats, photos: NDArray[np.int64], values: Floats, tested: NDArray[np.int64], task: OrderTask
) -> Floats:
    from sklearn.linear_model import LogisticRegression, RidgeCV

    if not len(values) or (values == values[0]).all():
        return np.full(len(tested), values[0] if len(values) else 0.5)
    if task == OrderTask.WATCH:
        model = LogisticRegression(C=1.0, max_iter=500).fit(points[photos], values.astype(int))
        chances: Floats = model.predict_proba(points[tested])[:, 1]
        return chances
    rated, place = np.unique(photos, return_inverse=True)
    counts = np.bincount(place)
    means = np.bincount(place, weights=values) / counts
    scores: Floats = RidgeCV(alphas=_RIDGE).fit(points[rated], means, sample_weight=counts).predict(points[tested])
    return scores
