"""Why a lane asks about a photo, in plain words with the numbers of the photo. Pure.

Lanes that are not named here say their own reason, which assignments store too. Lanes that ask where the model is
unsure learn from the newest answers. So the numbers of the champion stand beside the reason, and are not the reason.
"""

from collections.abc import Callable
from dataclasses import dataclass

from annotation.language import gettext


@dataclass(frozen=True)
class PhotoFacts:
    """What is known of a photo that a lane has put forward. None: unknown, or hidden from the reader."""

    votes: int
    votes_needed: int
    watch_probability: float | None = None
    """0 … 1."""
    watch_threshold: float | None = None
    """The deployed threshold, 0 … 1."""
    quality_mean: float | None = None
    """Points."""
    is_hidden: bool = False
    """The prediction is hidden until the reader has answered."""


def reason_text(lane: str, facts: PhotoFacts, *, stored: str) -> str:
    """Return why the lane chose the photo, as a part of the sentence 'Asked because …'.

    stored: the lane's own reason for this photo.
    """
    if (words := _REASONS.get(lane)) is not None:
        return words(facts) or stored
    return stored


def _random(facts: PhotoFacts) -> str:
    return gettext("drawn at random, which keeps the figures honest")


def _fewest(facts: PhotoFacts) -> str:
    if facts.votes == 0:
        return gettext("no votes yet")
    return gettext("it has the fewest votes: %(votes)s of %(needed)s") % {
        "votes": facts.votes,
        "needed": facts.votes_needed,
    }


def _watch(facts: PhotoFacts) -> str:
    if facts.is_hidden:
        return _hidden()
    if facts.watch_probability is None or facts.watch_threshold is None:
        return gettext("unsure about the watch")
    return gettext("unsure about the watch; the champion says %(probability)s at a threshold of %(threshold)s") % {
        "probability": _share(facts.watch_probability),
        "threshold": _share(facts.watch_threshold),
    }


def _ensemble(facts: PhotoFacts) -> str:
    if facts.is_hidden:
        return _hidden()
    if facts.watch_probability is None:
        return gettext("models that learned from different answers contradict each other about the watch")
    return gettext(
        "models that learned from different answers contradict each other about the watch; the champion says "
        "%(probability)s"
    ) % {"probability": _share(facts.watch_probability)}


def _gain(facts: PhotoFacts) -> str:
    if facts.is_hidden:
        return _hidden()
    if facts.quality_mean is None:
        return gettext("little is known about its score")
    return gettext("little is known about its score; the champion says %(mean)s") % {
        "mean": f"{facts.quality_mean:.1f}"
    }


def _disagreement(facts: PhotoFacts) -> str:
    return (
        _hidden()
        if facts.is_hidden
        else gettext("people and the model disagree about its score, beyond both intervals")
    )


def _typical(facts: PhotoFacts) -> str:
    return gettext("typical of many photos that nobody has rated")


def _unlike(facts: PhotoFacts) -> str:
    return gettext("unlike the other rated photos") if facts.votes else gettext("unlike all rated photos")


def _holdout(facts: PhotoFacts) -> str:
    return gettext("a photo of the holdout, which measures the models")


def _hidden() -> str:
    return gettext("the model's opinion, which you see after your own answer")


def _share(value: float) -> str:
    """Return '0.42', as the pages write probabilities."""
    return f"{value:.2f}"


_REASONS: dict[str, Callable[[PhotoFacts], str]] = {
    "random": _random,
    "fewest_votes": _fewest,
    "watch_margin": _watch,
    "watch_entropy": _watch,
    "watch_bald": _ensemble,
    "information_gain": _gain,
    "disagreement": _disagreement,
    "typical_first": _typical,
    "diverse_batch": _unlike,
    "holdout": _holdout,
}
