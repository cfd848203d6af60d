"""What learning the whole network adds to its head, for pages. Imports no torch."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from annotation.language import gettext


@dataclass(frozen=True)
class NetworkGain:
    """What the whole network adds to its head, on photos that neither taught it nor decided when to stop."""

    is_used: bool
    epoch: int
    """The epoch with the lowest loss; 0: before the first."""
    rps: float
    """Ranked probability score per vote with the network of that epoch."""
    rps_head: float
    """The same with the network as it was before."""
    images: int
    groups: int
    gain: float
    """`rps_head` − `rps`, with its 95 % interval."""
    gain_low: float
    gain_high: float
    seconds_per_epoch: float
    photos_learned: int

    @classmethod
    def of(cls, figures: Mapping[str, Any]) -> Self | None:
        """Return the gain among a version's figures; None for a version whose network has not learned."""
        stored = figures.get("whole_network")
        return cls(**stored) if stored else None

    @property
    def minutes_per_epoch(self) -> str:
        """Return the time of an epoch in words."""
        seconds = self.seconds_per_epoch
        if seconds < 90:
            return gettext("%(seconds)s seconds") % {"seconds": f"{seconds:.0f}"}
        return gettext("%(minutes)s minutes") % {"minutes": f"{seconds / 60:.1f}"}

    @property
    def verdict(self) -> str:
        """Return what the gain says, as the end of a sentence."""
        if self.gain_low > 0:
            return gettext("so learning the whole network pays")
        if self.gain_high < 0:
            return gettext("so learning the whole network does harm here")
        return gettext("so these votes cannot tell whether learning the whole network pays")
