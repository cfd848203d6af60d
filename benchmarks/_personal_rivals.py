"""Simple ways to say what one annotator will answer, and photos with votes to compare them on. Not a benchmark."""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import RidgeCV

from benchmarks._learning_data import rated_images_of
from inference.personal.line import (
    Line,
    OwnAnswers,
    Spreads,
    Standardisation,
    lines_fit,
    spreads_fit,
    surprising_distance,
)
from training.learning.corrected_scores import corrected_scores
from training.learning.ridge import RidgeConfig
from training.learning.score_line import score_line_fit

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

CROWD, BIAS, GAIN = "crowd", "crowd + mean bias", "crowd + bias and gain"
ALONE, RESIDUAL, OURS = "own ridge alone", "crowd + own residual ridge", "personal line"
RIVALS = (CROWD, BIAS, GAIN, ALONE, RESIDUAL)
_DECAYS = np.logspace(-2, 3, 21)
_NO_TASTE = 1e-9


@dataclass(frozen=True)
class Votes:
    """Votes [V] on photos [P]."""

    inputs: Floats
    """Of the photos [P, D]."""
    groups: NDArray[np.generic]
    photo: Ints
    annotator: Ints
    scores: Floats

    def of(self, rows: NDArray[np.bool_]) -> "Votes":
        """Return these votes only, on the same photos."""
        return Votes(self.inputs, self.groups, self.photo[rows], self.annotator[rows], self.scores[rows])

    def rows_of(self, annotator: int, seed: int) -> Ints:
        """Return the rows of one annotator in a random order."""
        rows = np.flatnonzero(self.annotator == annotator)
        return np.random.default_rng([seed, annotator]).permutation(rows)

    def answers(self, rows: Ints, crowd: Floats, is_new: NDArray[np.bool_]) -> "Answers":
        """Return these answers; `crowd` and `is_new` are those of all photos [P]."""
        photos = self.photo[rows]
        return Answers(self.inputs[photos], crowd[photos], self.scores[rows], self.groups[photos], is_new[photos])


@dataclass(frozen=True)
class Answers:
    """The answers [N] of one annotator, with the inputs of their photos [N, D]."""

    inputs: Floats
    crowd: Floats
    scores: Floats
    groups: NDArray[np.generic]
    is_new: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.scores)

    def first(self, most: int) -> "Answers":
        """Return the first answers."""
        return Answers(**{column.name: getattr(self, column.name)[:most] for column in fields(Answers)})

    @property
    def own(self) -> OwnAnswers:
        """Return what a line learns from."""
        return OwnAnswers(self.inputs @ self.inputs.T, self.crowd, self.scores, self.groups, self.is_new)


def inputs_of(features: NDArray[np.float32]) -> Floats:
    """Return standardised features [P, D]."""
    return Standardisation.of(features).inputs(features)


def crowd_fit(votes: Votes) -> Floats:
    """Return the crowd's scores of all photos [P], as the recipe `ridge` learns them, without a prior."""
    known, place = np.unique(votes.photo, return_inverse=True)
    steps = votes.scores.astype(np.int64)
    rated = rated_images_of(
        place, votes.annotator, steps, groups=votes.groups[known].astype("U36"), bins=int(steps.max()) + 1
    )
    scores = corrected_scores(rated)
    config = RidgeConfig()
    line = score_line_fit(
        votes.inputs[known],
        scores.values,
        1 / (scores.variance + config.photo_variance * steps.max() ** 2),
        np.zeros(len(known)),
        groups=votes.groups[known],
        decays=config.decays,
        most_prior=0.0,
    )
    return line.predict(votes.inputs, np.zeros(len(votes.inputs)))


@dataclass(frozen=True)
class Learned:
    """The lines of the annotators, and how much they differ."""

    spreads: Spreads
    lines: list[Line]
    surprising: float
    weights: list[Floats]

    def expected(self, place: int, asked: Answers, crowd: Floats | None = None) -> Floats:
        """Return the answers that are expected of the annotator at this place; `crowd`: other scores of the crowd."""
        weights = self.weights[place]
        taste = asked.inputs @ weights if len(weights) else 0.0
        return self.lines[place].expected(asked.crowd if crowd is None else crowd, taste, centre=self.spreads.centre)


def learned(people: list[Answers], *, with_taste: bool = True) -> Learned:
    """Fit the lines of all annotators; without taste, bias and gain only."""
    own = [one.own for one in people]
    spreads = spreads_fit(own)
    if not with_taste:
        spreads = Spreads(spreads.centre, spreads.noise, spreads.bias, _NO_TASTE)
    lines = lines_fit(own, spreads)
    weights = [line.weights(one.inputs) for line, one in zip(lines, people, strict=True)]
    return Learned(spreads, lines, surprising_distance(own, lines), weights)


def expectations(people: list[Answers], asked: list[Answers]) -> dict[str, list[Floats]]:
    """Return what each way expects of each annotator's other answers; `asked` has their photos."""
    found: dict[str, list[Floats]] = {CROWD: [other.crowd for other in asked]}
    found[BIAS] = [
        other.crowd + float((one.scores - one.crowd).sum()) / (len(one) + 3)
        for one, other in zip(people, asked, strict=True)
    ]
    for name, with_taste in ((GAIN, False), (OURS, True)):
        fitted = learned(people, with_taste=with_taste)
        found[name] = [fitted.expected(place, other) for place, other in enumerate(asked)]
    found[ALONE] = [
        RidgeCV(alphas=_DECAYS).fit(one.inputs, one.scores).predict(other.inputs)
        for one, other in zip(people, asked, strict=True)
    ]
    found[RESIDUAL] = [
        other.crowd + RidgeCV(alphas=_DECAYS).fit(one.inputs, one.scores - one.crowd).predict(other.inputs)
        for one, other in zip(people, asked, strict=True)
    ]
    return found
