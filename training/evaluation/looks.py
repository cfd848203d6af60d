"""Looks at a holdout: each comparison of a challenger with the same champion on it.

A holdout that is looked at again and again lets a challenger pass by chance in the end. So the looks share an error
rate of 5 %: 2.5 % for the first, which is the usual two-sided 95 % interval, and 2.5 % for the next 19 together. The
levels add up to 5 %, so at most 5 % of campaigns without progress promote a challenger within 20 looks, whatever the
dependence between looks (Boole's inequality). After 20 looks the holdout is used up for this champion.

Earlier looks count while they saw at least half of the present photos. A holdout of which more than half is new is a
fresh one. A new champion starts a new count: the error rate holds for each champion.

Source: Lan & DeMets (1983), 'Discrete sequential boundaries for clinical trials', for spending an error rate over
looks.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from annotation.language import gettext

ERROR_RATE = 0.05
"""Of all looks for one champion together, one-sided."""
LOOKS = 20
"""After this many looks a holdout is used up."""
STILL_THE_SAME = 0.5
"""Share of the present photos that an earlier look must have seen to count."""


@dataclass(frozen=True)
class Look:
    """The number of a look at a holdout, 1 or more."""

    number: int

    @property
    def level(self) -> float:
        """Return the one-sided error rate of this look; 0 when the holdout is used up."""
        if self.is_used_up:
            return 0.0
        return ERROR_RATE / 2 if self.number == 1 else ERROR_RATE / 2 / (LOOKS - 1)

    @property
    def text(self) -> str:
        """Return '' for the first look, otherwise for example ' at look 3 at this holdout (99.74 % interval)'."""
        if self.number == 1:
            return ""
        return " " + gettext("at look %(number)s at this holdout (%(level)s %% interval)") % {
            "number": self.number,
            "level": f"{100 * (1 - 2 * self.level):.2f}",
        }

    @property
    def is_used_up(self) -> bool:
        """Return whether no look is left."""
        return self.number > LOOKS

    @property
    def left(self) -> int:
        """Return how many looks are left after this one."""
        return max(LOOKS - self.number, 0)


FIRST = Look(1)


def next_look(earlier: Iterable[Collection[int]], present: Collection[int]) -> Look:
    """Return the look that a comparison on the `present` photos is; `earlier` has the photos of each earlier look."""
    now = set(present)
    counted = sum(len(now.intersection(photos)) >= STILL_THE_SAME * len(now) for photos in earlier)
    return Look(counted + 1)


def fresh_needed(photos: int) -> int:
    """Return how many new photos a holdout of this many needs so that no earlier look counts."""
    return photos + 1
