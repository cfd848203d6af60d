"""The formulas by which simulated annotators answer photos.

Annotator j gives photo i the score

    x_ij = round(q_i + t_j·(z_i − z̄) + b_j + s_j·ε),   ε ~ N(0, 1),

on the 1-10 scale, clipped to its ends. z_i are the photo's measures (`photo_measures.PhotoMeasures`),
q_i = base + w·z_i is the quality that all annotators agree on (`Panel`), t_j are the annotator's own tastes, b_j is
the bias and s_j the inconsistency. With the probability `lapse` the score is uniform on the scale. Other scales are
mapped linearly.

The watch answer compares the evidence e = ±clarity + N(0, 1) with the annotator's own threshold: 'yes' above it, 'no'
below it, 'unsure' within `hesitation` of it. The caller gives the sign; without it every annotator is unsure.

Every random number depends on (seed, annotator, photo, viewing) only, not on the order of the photos.
"""

import hashlib
from dataclasses import dataclass, fields

import numpy as np

from iqs_site.demo.photo_measures import MEASURE_NAMES, PhotoMeasures


@dataclass(frozen=True)
class Weights:
    """Points on the 1-10 scale that one unit of each measure of `PhotoMeasures` adds."""

    sharpness: float = 7.0
    noise: float = -9.0
    blockiness: float = -4.5
    clipping: float = -7.0
    darkness: float = -5.0
    contrast: float = 2.0
    colourfulness: float = 1.5

    def of(self, measures: PhotoMeasures) -> float:
        """Return the sum of weight × measure."""
        return float(sum(getattr(self, name) * getattr(measures, name) for name in MEASURE_NAMES))


#: The measures of a typical upload. Tastes act on the difference from them (z̄ above).
TYPICAL_PHOTO = PhotoMeasures(
    sharpness=0.68, noise=0.02, blockiness=0.06, clipping=0.02, darkness=0.0, contrast=0.7, colourfulness=0.33
)


@dataclass(frozen=True)
class SimulatedAnnotator:
    """One annotator. bias, inconsistency and taste are in points of the 1-10 scale; lapse is 0 … 1.

    bias: b_j. inconsistency: s_j. taste: own deviations t_j from the panel's weights.
    watch_threshold: evidence above which the annotator answers 'yes'; 0 is unbiased.
    hesitation: distance from the threshold within which the answer is 'unsure'.
    lapse: probability of a score that does not depend on the photo.
    pace: typical seconds between showing a photo and its answer.
    """

    username: str
    bias: float
    inconsistency: float
    taste: Weights
    watch_threshold: float
    hesitation: float
    lapse: float
    pace: float


@dataclass(frozen=True)
class SimulatedAnswer:
    """One answer: watch 'yes', 'no' or 'unsure'; score on the campaign's scale; time taken in milliseconds."""

    watch: str
    score: int
    milliseconds: int


@dataclass(frozen=True)
class Panel:
    """What all annotators of a campaign have in common, and how much they differ.

    middle: score of `TYPICAL_PHOTO`. weights: what the measures add to it.
    clarity: evidence that a photo with a watch gives, in standard deviations of the error.
    bias, taste: standard deviations between annotators. inconsistency, lapse: typical values (see `_annotator`).
    With the default values the panel's SOS parameter a is 0.20-0.25.
    """

    weights: Weights = Weights()
    middle: float = 6.3
    clarity: float = 2.2
    bias: float = 0.7
    inconsistency: float = 1.65
    taste: float = 0.2
    lapse: float = 0.02
    seed: int = 1

    def quality(self, measures: PhotoMeasures) -> float:
        """Return q_i, the quality that all annotators agree on, 1 … 10."""
        return float(np.clip(self.middle + self.weights.of(measures) - self.weights.of(TYPICAL_PHOTO), 1.0, 10.0))

    def annotators(self, count: int = 10) -> list[SimulatedAnnotator]:
        """Return sim-01, sim-02, …; a larger count only adds annotators at the end."""
        return [self._annotator(number) for number in range(1, count + 1)]

    def _annotator(self, number: int) -> SimulatedAnnotator:
        rng = np.random.default_rng((self.seed, number))
        shared = [getattr(self.weights, field.name) for field in fields(Weights)]
        taste = Weights(*(weight * rng.normal(0, self.taste) for weight in shared))
        return SimulatedAnnotator(
            username=f"sim-{number:02d}",
            bias=rng.normal(0, self.bias),
            inconsistency=self.inconsistency * rng.lognormal(0, 0.2),
            taste=taste,
            watch_threshold=rng.normal(0, 0.3),
            hesitation=rng.uniform(0.1, 0.5),
            lapse=self.lapse * rng.uniform(0, 2),
            pace=rng.lognormal(np.log(3.2), 0.3),
        )

    def answer(
        self,
        annotator: SimulatedAnnotator,
        measures: PhotoMeasures,
        photo: str,
        *,
        watch: bool | None,
        lowest: int = 1,
        highest: int = 10,
        viewing: int = 1,
    ) -> SimulatedAnswer:
        """Return the annotator's answer.

        `photo`: a unique name of the photo, such as its SHA-256. `watch`: whether it shows a watch, None: unknown.
        `viewing`: 1 for the annotator's first viewing of the photo, 2 for the second, …; each has its own error.
        """
        key = f"{self.seed} {annotator.username} {photo}" + (f" {viewing}" if viewing > 1 else "")
        digest = hashlib.sha256(key.encode()).digest()
        rng = np.random.default_rng(int.from_bytes(digest[:8]))
        own = annotator.taste.of(measures) - annotator.taste.of(TYPICAL_PHOTO)
        opinion = self.quality(measures) + own + annotator.bias + annotator.inconsistency * rng.standard_normal()
        if rng.random() < annotator.lapse:
            opinion = rng.uniform(0.5, 10.5)
        mapped = lowest + (opinion - 1) / 9 * (highest - lowest)
        evidence = rng.standard_normal() + (self.clarity if watch else -self.clarity) - annotator.watch_threshold
        hesitates = watch is None or abs(evidence) < annotator.hesitation
        return SimulatedAnswer(
            watch="unsure" if hesitates else "yes" if evidence > 0 else "no",
            score=int(np.clip(round(mapped), lowest, highest)),
            milliseconds=int(1000 * annotator.pace * rng.lognormal(0, 0.4)),
        )
