"""Photos with known answers: what a simulated campaign is played on."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from training.simulation.raters import RaterPanel

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

QUALITY, WATCH = "quality", "watch"


@dataclass(frozen=True)
class Layout:
    """Where the parts of a feature vector are: statistics of the stages, then the pooled layer, then the classes."""

    pooled_start: int
    pooled_stop: int
    second_size: int = 0
    """Numbers at the end that describe the photo in a second size. They are not used here."""

    def block_weight(self, size: int) -> Floats:
        """Return the weights [D] with which the quality line sees `size` features, as `score_line.Inputs` has them.

        Statistics and classes count as much as each other, and the pooled layer only where there are no classes.
        """
        weight = np.zeros(size)
        classes = slice(self.pooled_stop, size - self.second_size)
        shown = classes if classes.stop > self.pooled_stop else slice(self.pooled_start, self.pooled_stop)
        blocks = [block for block in (slice(0, self.pooled_start), shown) if len(weight[block])]
        for block in blocks:
            weight[block] = (len(blocks) * len(weight[block])) ** -0.5
        return weight


@dataclass(frozen=True)
class VoteTable:
    """Real votes as columns of equal length [V]."""

    photo: Ints
    """0 … N − 1."""
    annotator: Ints
    score: Floats
    """On the scale of the votes."""


@dataclass(frozen=True)
class Ratings:
    """N photos with the truth about them, and where their votes come from."""

    task: str
    """QUALITY: votes are opinion scores. WATCH: votes are 1 (a watch) or 0."""
    name: str
    """Of the folder, for pages and messages."""
    features: NDArray[np.float32]
    """[N, D]."""
    layout: Layout
    groups: Ints
    """[N], the same number for near-duplicates."""
    truth: Floats
    """[N]: the mean of all votes, or the watch label 0 or 1."""
    lowest: int = 0
    highest: int = 1
    """Ends of the scale; 0 and 1 for watch labels."""
    votes: VoteTable | None = None
    """Real votes, drawn without replacement. None: every vote is made by a simulated annotator."""
    panel: RaterPanel | None = None
    """The simulated annotators of opinion scores. None with real votes, and for watch labels, which are given as they
    are, apart from random clicks."""

    def __len__(self) -> int:
        return len(self.truth)

    only_tested: NDArray[np.bool_] | None = None
    """[N]: photos of another folder, which are tested and never asked about. None: a third of the groups is tested."""

    @property
    def steps(self) -> int:
        """Return the distance of the ends of the scale, 1 or more."""
        return self.highest - self.lowest

    def tested_on(self, other: "Ratings") -> "Ratings":
        """Return these photos with all photos of another folder to test on.

        Raises ValueError if the tasks or the scales differ: rank correlations do not mind, errors do.
        """
        if (self.task, self.lowest, self.highest) != (other.task, other.lowest, other.highest):
            raise ValueError(f"{self.name} and {other.name} have other answers, or another scale")
        votes = self.votes
        if votes is not None and other.votes is not None:
            more = other.votes
            votes = VoteTable(
                np.concatenate([votes.photo, more.photo + len(self)]),
                np.concatenate([votes.annotator, more.annotator + int(votes.annotator.max()) + 1]),
                np.concatenate([votes.score, more.score]),
            )
        return replace(
            self,
            name=f"{self.name}, tested on {other.name}",
            features=np.concatenate([self.features, other.features]),
            groups=np.concatenate([self.groups, other.groups + int(self.groups.max()) + 1]),
            truth=np.concatenate([self.truth, other.truth]),
            votes=votes,
            only_tested=np.repeat([False, True], [len(self), len(other)]),
        )

    @property
    def source(self) -> str:
        """Return in words who gives the votes, and on how many photos; those that are only tested are told apart."""
        asked = np.ones(len(self), dtype=bool) if self.only_tested is None else ~self.only_tested
        photos = f"{np.count_nonzero(asked):,} photos"
        tested = "" if self.only_tested is None else f", tested on {np.count_nonzero(self.only_tested):,} others"
        if self.votes is not None:
            given = asked[self.votes.photo]
            voters = len(np.unique(self.votes.annotator[given]))
            return f"{np.count_nonzero(given):,} real votes of {voters:,} people on {photos}{tested}, each drawn once"
        if self.panel is not None and not self.panel.annotators:
            return f"simulated annotators with invented numbers on {photos}{tested}"
        if self.panel is not None:
            people = f"{self.panel.annotators:,} people of {self.panel.fitted_on}"
            return f"simulated annotators like the {people}, on {photos}{tested}"
        return f"simulated annotators who know the label of {photos}{tested}"
