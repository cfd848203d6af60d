"""Shares of the queue lanes that the settings page offers by name."""

from collections.abc import Mapping
from dataclasses import dataclass

from annotation.language.lazy import gettext_lazy
from annotation.models.campaigns import default_lane_shares


@dataclass(frozen=True)
class Mixture:
    """A mixture of lanes with a name."""

    name: str
    label: str
    description: str
    """One or two sentences for the admin."""
    shares: Mapping[str, float]
    """{lane name: share}; they add up to 1."""


#: The first one is that of a new campaign.
MIXTURES = (
    Mixture(
        "both",
        gettext_lazy("Watches and scores"),
        gettext_lazy("For a model that learns both. A fifth is drawn at random, so that accuracy can be measured."),
        default_lane_shares(),
    ),
    Mixture(
        "watches",
        gettext_lazy("Watches first"),
        gettext_lazy("Finds watches with the fewest answers: the model asks where it is unsure."),
        {"watch_margin": 0.6, "random": 0.2, "holdout": 0.1, "anchors": 0.1},
    ),
    Mixture(
        "scores",
        gettext_lazy("Scores first"),
        gettext_lazy("Spreads votes evenly. For scores no cleverer order saved votes in our measurements."),
        {"fewest_votes": 0.6, "random": 0.2, "holdout": 0.1, "anchors": 0.1},
    ),
    Mixture(
        "random",
        gettext_lazy("All at random"),
        gettext_lazy("Every open photo is as likely as any other. For studies that plan their own analysis."),
        {"random": 1.0},
    ),
)


def mixture(name: str) -> dict[str, float]:
    """Return the shares of a mixture. Raises KeyError for an unknown name."""
    return dict({one.name: one.shares for one in MIXTURES}[name])
