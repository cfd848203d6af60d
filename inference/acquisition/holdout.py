"""Holdout photos, which measure the models, with the fewest votes first."""

from typing import Literal

from annotation.language import gettext_noop
from inference.acquisition.fewest_votes import FewestVotesFirst


class HoldoutFirst(FewestVotesFirst):
    """The holdout photo with the fewest votes and live leases. No score has a say, so the measurement stays honest."""

    name = "holdout"
    label = gettext_noop("Holdout photos")
    description = gettext_noop(
        "The holdout photo with the fewest votes so far, so that models can be measured early. "
        "It never looks at predictions."
    )
    reason = "a photo to measure models with, {votes} of {votes_needed} votes"
    split: Literal["train", "holdout"] | None = "holdout"
