"""The interface of queue strategies: `Pool` in, priorities out."""

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Pool:
    """The N photos of a campaign that still need votes, one array per column.

    The service that reads the pool fills the columns after the first four only for strategies that name them in
    `columns`. They are None where the campaign has nothing to fill them with.
    """

    image_ids: NDArray[np.int64]
    """[N], ascending."""
    votes: NDArray[np.int64]
    """[N], annotators with a standing answer, 0 or more."""
    votes_needed: NDArray[np.int64]
    """[N], 1 or more."""
    open_slots: NDArray[np.int64]
    """[N], votes needed less votes and live leases, 1 or more."""
    features: NDArray[np.float32] | None = None
    """[N, D], the main directions of the features of the photos' pooled stage. Rows of NaN: not yet looked at."""
    groups: NDArray[np.int64] | None = None
    """[N], the same number for near-duplicates."""
    quality_mean: NDArray[np.float64] | None = None
    """[N], expected scores on the campaign's scale. NaN: none. The same holds for the next five columns."""
    quality_variance: NDArray[np.float64] | None = None
    """[N], variance of the *posterior* of a photo's true score: how little is known, not how far votes spread."""
    vote_variance: NDArray[np.float64] | None = None
    """[N], variance of a next vote around the true score."""
    quality_disagreement: NDArray[np.float64] | None = None
    """[N], the gap between the 90 % intervals of people and model, in points; 0 where they meet or without votes."""
    watch_probability: NDArray[np.float64] | None = None
    """[N], 0 … 1."""
    watch_spread: NDArray[np.float64] | None = None
    """[N], mutual information of the watch label and the members of an ensemble, in nats (BALD)."""
    watch_threshold: float | None = None
    """The deployed threshold, 0 … 1."""
    watch_yes: NDArray[np.int64] | None = None
    """[N], votes for a watch so far."""
    watch_no: NDArray[np.int64] | None = None
    """[N], votes against a watch so far."""
    answered_features: NDArray[np.float32] | None = None
    """[M, D], the features of photos that have all their answers and so left the pool."""

    def __len__(self) -> int:
        return len(self.image_ids)

    @property
    def leases(self) -> NDArray[np.int64]:
        """Return the photos' live leases, [N], 0 or more: answers that are on their way."""
        leases: NDArray[np.int64] = np.maximum(self.votes_needed - self.votes - self.open_slots, 0)
        return leases


class Strategy(Protocol):
    """A rule that chooses the next photo."""

    name: str
    """At most 40 characters. Stored with assignments and in the campaign's shares, so it must never change."""
    label: str
    """Name on the settings page."""
    description: str
    """One or two sentences for the admin who sets its share."""
    reason: str
    """Why a photo was chosen: a format string with `votes` and `votes_needed` (of the photo when it is handed out) and
    `priority`."""
    columns: frozenset[str]
    """The columns of `Pool` after the first four that the strategy needs."""
    score_column: str | None
    """The column that its scores come from; None for votes alone. Without it in the pool, the strategy starts with the
    order of `typical_first`."""
    split: Literal["train", "holdout"] | None
    """The photos that it chooses among; None for all. Only strategies that look at nothing but votes may leave the
    split "train": a holdout photo that is chosen for its score would spoil the measurement."""

    def priorities(self, pool: Pool, rng: np.random.Generator) -> NDArray[np.float64]:
        """Return a finite number for each photo of the pool [N]; the photo with the highest number is shown first.

        Where the pool lacks what the strategy needs, it orders photos as `typical_first` does.
        """
