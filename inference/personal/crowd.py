"""The crowd's score of a photo: the model's prediction, moved towards the votes of other annotators."""

from collections.abc import Sequence

# Variance of the model's error for a photo, in squared widths of the scale. As for the recipe `ridge`, and a little
# more, because the photo is new to the model.
_MODEL_VARIANCE = 0.01


def crowd_score(predicted: float, votes: Sequence[float], *, vote_variance: float, width: float) -> float:
    """Return the mean of prediction and votes, weighted by the inverse of their variances.

    `vote_variance`: of one vote around the mean of everybody, with the annotators' biases, in squared points. `width`:
    points from the lowest score to the highest. A single vote moves the prediction little, many replace it.
    """
    precision = 1 / (_MODEL_VARIANCE * width**2)
    each = 1 / max(vote_variance, _MODEL_VARIANCE * width**2 / 10)
    return (precision * predicted + each * sum(votes)) / (precision + each * len(votes))
