"""What people say about each photo: the probability that it shows a watch."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from annotation.consensus.dawid_skene import labels_fit
from training.learning.dataset import RatedImages, RatedVotes

Floats = NDArray[np.float64]

#: How often the yes and the no of somebody unknown is right, until the campaign's people have given answers to tell.
FIRST_RIGHT = 0.98
#: How many answers of people this counts as.
FIRST_ANSWERS = 20.0
_LEAST = 1e-9  # of a probability, so that its odds are finite


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
    """Return `watch_posteriors` [N], or the share of the votes for a watch where single votes are not known.

    An imported label counts as one more vote, see `with_labels`.
    """
    if rated.votes is not None and rated.votes.watch is not None:
        people = watch_posteriors(rated.votes, photos=len(rated))
    else:
        votes = (rated.watch_yes + rated.watch_no).astype(np.float64)
        people = np.where(votes > 0, rated.watch_yes / np.where(votes > 0, votes, 1), np.nan)
    if rated.watch_labels is None:
        return people
    return with_labels(people, rated.watch_labels, label_reliability(people, rated.votes))


def label_reliability(people: Floats, votes: RatedVotes | None) -> tuple[float, float]:
    """Return how often a 'no' and a 'yes' of somebody unknown is right, each in (0, 1).

    It is as often as those of the campaign's people on average, by their probabilities of a watch [N] on photos where
    at least two said yes or no: one vote alone does not say whether it is right. Few answers are moved towards
    `FIRST_RIGHT`, as if `FIRST_ANSWERS` more had been right that often.
    """
    right, answers = np.full(2, FIRST_ANSWERS * FIRST_RIGHT), np.full(2, FIRST_ANSWERS)
    if votes is not None and votes.watch is not None:
        given = votes.watch >= 0
        several = np.bincount(votes.photos[given], minlength=len(people)) > 1
        given &= several[votes.photos]
        of_photo = people[votes.photos[given]]
        for label, probability in enumerate((1 - of_photo, of_photo)):
            those = votes.watch[given] == label
            right[label] += (votes.weights[given] * probability)[those].sum()
            answers[label] += votes.weights[given][those].sum()
    no, yes = (right / answers).tolist()
    return no, yes


def with_labels(people: Floats, labels: NDArray[np.int8], reliability: tuple[float, float]) -> Floats:
    """Return the probabilities of a watch by people and by imported labels [N]; NaN for photos without either.

    `people` [N]: NaN for photos without votes. `labels` [N]: 1 watch, 0 no watch, -1 none. `reliability`: how often a
    'no' and a 'yes' is right. A label alone has this probability. Beside votes it is one more of them: the odds are
    multiplied by those of the label, divided by those of a photo about which nothing is known.
    """
    no, yes = reliability
    of_label = logit(np.where(labels == 1, yes, 1 - no))
    has_votes = ~np.isnan(people)
    known = people[has_votes]
    share = (known.sum() + 0.5) / (len(known) + 1)  # half a watch and half a photo without one more: never 0 or 1
    both = expit(logit(np.where(has_votes, people, 0.5).clip(_LEAST, 1 - _LEAST)) + of_label - logit(share))
    found: Floats = np.where(labels < 0, people, np.where(has_votes, both, expit(of_label)))
    return found
