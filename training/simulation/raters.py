"""Simulated annotators that are fitted to a real panel: how their bias, gain and noise are distributed.

Annotator j gives photo i the score round(μ + b_j + a_j·(q_i − μ) + s_j·ε), clipped to the ends of the scale: the panel
model of `annotation.consensus.panel_model`. The distribution of (b, a, ln s) over people is a normal one. Its mean and
its covariance come from the fit of a real panel: the covariance of the estimates of people with enough votes, less
what is only the error of these estimates.
"""

from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from annotation.consensus.panel_model import PanelFit, panel_fit

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# The noise of people with fewer votes is mostly that of the others, by the prior of the panel model.
_FEWEST_VOTES = 10
_FEWEST_PEOPLE = 5
_LEAST_NOISE = 0.1
_ROUNDS = 6
# More or less than this is no way to use a scale, only the tail of a normal distribution.
_GAINS = (0.0, 2.5)


class PanelUnusable(ValueError):
    """The votes are too few to fit annotators to; the message says what is missing."""


@dataclass(frozen=True)
class RaterPanel:
    """The distribution of bias b, gain a and logarithmic noise ln s over people; b and s in points of the scale."""

    fitted_on: str
    """Name of the folder or file whose votes were used."""
    annotators: int
    """People with enough votes for the fit."""
    votes: int
    lowest: int
    highest: int
    bias: tuple[float, float]
    """Mean and standard deviation; so are the next two."""
    gain: tuple[float, float]
    log_noise: tuple[float, float]
    bias_with_gain: float
    """Correlation of bias and gain over people, −1 … 1; so are the next two."""
    bias_with_noise: float
    gain_with_noise: float
    vote_deviation: float
    """Standard deviation of real votes around the mean score of their photo, to compare simulated votes with."""
    simulated_deviation: float
    """The same of votes that this panel gives to the same photos."""

    def people(self, count: int, rng: np.random.Generator) -> "People":
        """Return `count` simulated annotators."""
        (b, b_sd), (a, a_sd), (n, n_sd) = self.bias, self.gain, self.log_noise
        one, two, three = self.bias_with_gain, self.bias_with_noise, self.gain_with_noise
        correlation = np.array([[1, one, two], [one, 1, three], [two, three, 1]])
        spread = np.diag([b_sd, a_sd, n_sd])
        drawn = rng.multivariate_normal([b, a, n], spread @ correlation @ spread, count, check_valid="ignore")
        return People(drawn[:, 0], np.clip(drawn[:, 1], *_GAINS), np.maximum(np.exp(drawn[:, 2]), _LEAST_NOISE))

    def on_scale(self, lowest: int, highest: int) -> "RaterPanel":
        """Return the same panel for another scale: points become as long as the scale needs."""
        factor = (highest - lowest) / (self.highest - self.lowest)
        changed: dict[str, Any] = {
            "bias": (self.bias[0] * factor, self.bias[1] * factor),
            "log_noise": (self.log_noise[0] + float(np.log(factor)), self.log_noise[1]),
            "vote_deviation": self.vote_deviation * factor,
            "simulated_deviation": self.simulated_deviation * factor,
        }
        return replace(self, lowest=lowest, highest=highest, **changed)

    def as_json(self) -> dict[str, Any]:
        """Return the panel as JSON values."""
        return {"format": 1, **asdict(self)}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "RaterPanel":
        """Return the panel of `as_json`. Raises PanelUnusable where a value is missing or has another form."""
        try:
            found = {one.name: values[one.name] for one in fields(cls)}
            for name in ("bias", "gain", "log_noise"):
                mean, deviation = map(float, found[name])
                found[name] = (mean, deviation)
        except (KeyError, TypeError, ValueError) as error:
            raise PanelUnusable(f"this is no panel of simulated annotators ({error})") from error
        return cls(**found)


@dataclass(frozen=True)
class People:
    """Simulated annotators [M]."""

    bias: Floats
    gain: Floats
    noise: Floats

    def scores(
        self, truth: Floats, person: Ints, rng: np.random.Generator, *, middle: float, lowest: int, highest: int
    ) -> Floats:
        """Return a score for each pair of a photo's true score and a person [V]; `middle`: μ of the panel."""
        line = middle + self.bias[person] + self.gain[person] * (truth - middle)
        found: Floats = np.clip(np.rint(line + self.noise[person] * rng.normal(size=len(person))), lowest, highest)
        return found


def raters_fitted(
    photo: ArrayLike, annotator: ArrayLike, score: ArrayLike, *, fitted_on: str, seed: int = 0
) -> RaterPanel:
    """Fit the distribution to votes, given as three columns of equal length [V].

    The ends of the scale are the lowest and the highest score. Raises PanelUnusable with fewer than five people who
    have ten votes.
    """
    photos, people = np.asarray(photo, dtype=np.int64), np.asarray(annotator, dtype=np.int64)
    scores = np.asarray(score, dtype=np.float64)
    if len(scores):
        fit = panel_fit(photos, people, scores)
        used = fit.annotator_votes >= _FEWEST_VOTES
    if not len(scores) or used.sum() < _FEWEST_PEOPLE:
        raise PanelUnusable(f"fewer than {_FEWEST_PEOPLE} people have {_FEWEST_VOTES} votes or more")
    lowest, highest = int(scores.min()), int(scores.max())
    means, deviations, correlation = _distribution(fit, used)
    found = RaterPanel(
        fitted_on=fitted_on,
        annotators=int(used.sum()),
        votes=len(scores),
        lowest=lowest,
        highest=highest,
        bias=(means[0], deviations[0]),
        gain=(means[1], deviations[1]),
        log_noise=(means[2], deviations[2]),
        bias_with_gain=correlation[0],
        bias_with_noise=correlation[1],
        gain_with_noise=correlation[2],
        vote_deviation=_deviation(photos, scores),
        simulated_deviation=0.0,
    )
    # On the same photos, as many people give as many votes. The ends of the scale cut votes off, so votes with the
    # noise of the fit would spread less than the real ones: the noise is raised until they spread as far.
    _, person = np.unique(people, return_inverse=True)
    truth = fit.quality[np.searchsorted(fit.image_ids, photos)]
    for _round in range(_ROUNDS):
        rng = np.random.default_rng(seed)
        drawn = found.people(int(person.max()) + 1, rng)
        given = drawn.scores(truth, person, rng, middle=fit.mean, lowest=lowest, highest=highest)
        found = replace(found, simulated_deviation=_deviation(photos, given))
        if _round < _ROUNDS - 1 and found.simulated_deviation > 0:
            more = float(np.log(max(found.vote_deviation, _LEAST_NOISE) / found.simulated_deviation))
            found = replace(found, log_noise=(found.log_noise[0] + more, found.log_noise[1]))
    return found


def _distribution(fit: PanelFit, used: NDArray[np.bool_]) -> tuple[list[float], list[float], list[float]]:
    """Return means, standard deviations, and correlations of bias with gain, bias with noise and gain with noise.

    The mean-field fit says how inexact each bias and each gain is: a posterior mean is nearer to the prior than the
    truth, so the variance over people is that of the means *plus* the mean variance of the posteriors. The noise is a
    sum of squares over n votes, whose logarithm has a variance of about 1/(2n) without any difference between people.
    """
    values = np.stack([fit.bias[used], fit.gain[used], np.log(fit.noise[used])])
    votes = fit.annotator_votes[used]
    covariance = np.cov(values)
    correlation = np.corrcoef(values)
    errors = (
        float((fit.bias_deviation[used] ** 2).mean()),
        float((fit.gain_deviation[used] ** 2).mean()),
        -float((1 / (2 * votes)).mean()),
    )
    variances = np.maximum(np.diag(covariance) + errors, 1e-4)
    pairs = [float(np.nan_to_num(correlation[pair])) for pair in ((0, 1), (0, 2), (1, 2))]
    return values.mean(axis=1).tolist(), np.sqrt(variances).tolist(), pairs


def _deviation(photo: Ints, score: Floats) -> float:
    """Return the standard deviation of votes around the mean of their photo, of photos with two votes or more."""
    _, place = np.unique(photo, return_inverse=True)
    counts = np.bincount(place)
    rest = score - (np.bincount(place, score) / counts)[place]
    spare = len(score) - len(counts)
    return float(np.sqrt((rest**2).sum() / spare)) if spare else 0.0
