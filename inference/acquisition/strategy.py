"""The interface of queue strategies: `Pool` in, priorities out."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Pool:
    """The N photos of a campaign that still need votes, one array per column.

    A strategy that needs more (features, predictions) adds a column with the default None, and the service that reads
    the pool fills it.
    """

    image_ids: NDArray[np.int64]
    """[N], ascending."""
    votes: NDArray[np.int64]
    """[N], annotators with a standing answer, 0 or more."""
    votes_needed: NDArray[np.int64]
    """[N], 1 or more."""
    open_slots: NDArray[np.int64]
    """[N], votes needed less votes and live leases, 1 or more."""

    def __len__(self) -> int:
        return len(self.image_ids)


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

    def priorities(self, pool: Pool, rng: np.random.Generator) -> NDArray[np.float64]:
        """Return a finite number for each photo of the pool [N]; the photo with the highest number is shown first."""
