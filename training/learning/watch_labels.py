"""What people say about each photo: the probability that it shows a watch."""

import numpy as np
from numpy.typing import NDArray

from annotation.consensus.dawid_skene import labels_fit
from training.learning.dataset import RatedImages, RatedVotes


def watch_posteriors(votes: RatedVotes, *, photos: int) -> NDArray[np.float64]:
    """Return the probability of a watch by Dawid & Skene for each photo [photos], with each annotator's mistakes.

    'Unsure' is a missing vote. NaN for photos without a vote for or against.
    """
    found = np.full(photos, np.nan)
    if votes.watch is None:
        return found
    given = votes.watch >= 0
    if given.any():
        fit = labels_fit(
            votes.photos[given], votes.annotator_ids[given], votes.watch[given], weights=votes.weights[given]
        )
        found[fit.image_ids] = fit.posterior[:, 1]
    return found


def watch_probabilities(rated: RatedImages) -> NDArray[np.float64]:
    """Return `watch_posteriors`, or the share of the votes for a watch where single votes are not known."""
    if rated.votes is not None and rated.votes.watch is not None:
        return watch_posteriors(rated.votes, photos=len(rated))
    votes = (rated.watch_yes + rated.watch_no).astype(np.float64)
    return np.where(votes > 0, rated.watch_yes / np.where(votes > 0, votes, 1), np.nan)
