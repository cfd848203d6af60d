"""Simulated annotators as formulas: what each would answer to a photo.

An annotator j gives photo i the score

    x_ij = round(q_i + t_j·(z_i − z̄) + b_j + s_j·ε),   ε ~ N(0, 1),

on the 1-10 scale, cut off at its ends, where z_i are the photo's measures (`perception.Percept`),
q_i = base + w·z_i is what the panel sees in common (`Panel`), t_j are the annotator's own tastes, b_j the bias and
s_j the inconsistency; with the probability of a lapse the score is any of the scale. Other scales are mapped linearly.

The watch answer compares the evidence e = ±clarity + N(0, 1) with the annotator's own threshold: 'yes' above it, 'no'
below it, 'unsure' within `hesitation` of it. The sign comes from the truth that the caller knows; without it
everybody is unsure.

Every draw depends on (seed, annotator, photo) alone, so an answer does not depend on the order of the photos.
"""

import hashlib
from dataclasses import dataclass, fields

import numpy as np

from iqs_site.demo.perception import MEASURES, Percept


@dataclass(frozen=True)
class Weights:
    """Points of the 1-10 scale that one unit of each measure of `Percept` adds."""

    sharpness: float = 7.0
    noise: float = -9.0
    blockiness: float = -4.5
    clipping: float = -7.0
    darkness: float = -5.0
    contrast: float = 2.0
    colourfulness: float = 1.5

    def of(self, percept: Percept) -> float:
        """Return the sum of weight × measure."""
        return float(sum(getattr(self, name) * getattr(percept, name) for name in MEASURES))


#: A photo as people upload them, from which tastes are counted.
ORDINARY = Percept(
    sharpness=0.68, noise=0.02, blockiness=0.06, clipping=0.02, darkness=0.0, contrast=0.7, colourfulness=0.33
)


@dataclass(frozen=True)
class SimulatedAnnotator:
    """One annotator. Lengths are points of the 1-10 scale, shares are 0 … 1.

    bias: b_j. inconsistency: s_j. taste: own deviations t_j from the panel's weights.
    watch_threshold: evidence from which the photo shows a watch; 0 is unbiased.
    hesitation: distance from it within which the answer is 'unsure'.
    lapse: probability of a score that has nothing to do with the photo.
    pace: mean seconds from shown to answered.
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
class Judgement:
    """One answer: watch 'yes', 'no' or 'unsure'; score on the campaign's scale; time taken in milliseconds."""

    watch: str
    score: int
    milliseconds: int


@dataclass(frozen=True)
class Panel:
    """What all annotators of a campaign share, and how they differ.

    weights, middle: what an `ORDINARY` photo scores, and what the measures add to it.
    clarity: evidence that a photo with a watch gives, in standard deviations of the guess.
    bias, inconsistency, taste, lapse: spreads (see `annotators`); with these the panel's SOS a is .2-.25.
    """

    weights: Weights = Weights()
    middle: float = 6.3
    clarity: float = 2.2
    bias: float = 0.7
    inconsistency: float = 1.65
    taste: float = 0.2
    lapse: float = 0.02
    seed: int = 1

    def quality(self, percept: Percept) -> float:
        """Return q_i, the quality that the panel sees, on 1 … 10."""
        return float(np.clip(self.middle + self.weights.of(percept) - self.weights.of(ORDINARY), 1.0, 10.0))

    def annotators(self, count: int = 10) -> list[SimulatedAnnotator]:
        """Return sim-01, sim-02, …; the first ones are the same for every count."""
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

    def judge(
        self,
        annotator: SimulatedAnnotator,
        percept: Percept,
        photo: str,
        *,
        watch: bool | None,
        lowest: int = 1,
        highest: int = 10,
        occasion: int = 1,
    ) -> Judgement:
        """Return the annotator's answer. `photo`: any name that tells photos apart, such as a SHA-256.

        `occasion`: the how manieth look of the annotator at the photo; each has an error of its own.
        """
        look = f"{self.seed} {annotator.username} {photo}" + (f" {occasion}" if occasion > 1 else "")
        digest = hashlib.sha256(look.encode()).digest()
        rng = np.random.default_rng(int.from_bytes(digest[:8]))
        own = annotator.taste.of(percept) - annotator.taste.of(ORDINARY)
        opinion = self.quality(percept) + own + annotator.bias + annotator.inconsistency * rng.standard_normal()
        if rng.random() < annotator.lapse:
            opinion = rng.uniform(0.5, 10.5)
        mapped = lowest + (opinion - 1) / 9 * (highest - lowest)
        evidence = rng.standard_normal() + (self.clarity if watch else -self.clarity) - annotator.watch_threshold
        hesitates = watch is None or abs(evidence) < annotator.hesitation
        return Judgement(
            watch="unsure" if hesitates else "yes" if evidence > 0 else "no",
            score=int(np.clip(round(mapped), lowest, highest)),
            milliseconds=int(1000 * annotator.pace * rng.lognormal(0, 0.4)),
        )
