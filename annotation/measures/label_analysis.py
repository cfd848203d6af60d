"""What the labels of a campaign are like before a model learns from them: scores, the middle, and classes.

A model that learns from photos of which most are in the middle of the scale can be right most of the time by saying
'middle'. Balancing takes as many photos of each class as the rarest class has, drawn at random.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from annotation.measures.intervals import Interval, wilson_interval

#: Length of the middle of a scale, as a share of the scale.
MIDDLE = 0.2


@dataclass(frozen=True)
class ClassShare:
    """Photos of one class, before and after balancing."""

    name: str
    photos: int
    share: float
    """Of all photos, in [0, 1]; 0 without photos."""
    balanced_photos: int
    balanced_share: float


def middle_of(lowest: int, highest: int) -> tuple[float, float]:
    """Return the ends of the middle fifth of a scale. Score k of K covers the k-th of K equal parts of it.

    On 1-10 the scale reaches from 0.5 to 10.5, so the middle is 4.5 to 6.5.
    """
    centre, half = (lowest + highest) / 2, MIDDLE * (highest - lowest + 1) / 2
    return centre - half, centre + half


def share_in_middle(inside: int, photos: int) -> Interval | None:
    """Return the share of photos whose MOS is in the middle, with its interval; None without photos."""
    return wilson_interval(inside, photos) if photos else None


def balanced(classes: Sequence[tuple[str, int]]) -> list[ClassShare]:
    """Return the shares of classes (name, photos) before and after balancing. An empty class leaves nothing."""
    total = sum(photos for _, photos in classes)
    fewest = min((photos for _, photos in classes), default=0)
    return [
        ClassShare(name, photos, photos / total if total else 0.0, fewest, 1 / len(classes) if fewest else 0.0)
        for name, photos in classes
    ]
