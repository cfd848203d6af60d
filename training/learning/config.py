"""Settings of the recipe `prior_residual`, and of the watch head, which is learned in the same way by every recipe."""

from dataclasses import dataclass


@dataclass(frozen=True)
class PriorResidualConfig:
    """Settings of the recipe. Counts are of rated images, unless they say otherwise."""

    calibrate_below: int = 50
    """With fewer rated images, only the sharpness and tilt of the prior's distributions are learned."""
    residual_below: int = 300
    """With fewer rated images, a linear residual on the prior with strong weight decay; otherwise the full head."""
    residual_decays: tuple[float, ...] = (1.0, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001)
    """Candidates for the decay towards the prior's weights, for the residual below `residual_below`."""
    full_decays: tuple[float, ...] = (0.3, 0.1, 0.03, 0.01, 0.003, 0.001)
    """The same, for the full head."""
    dropout: float = 0.2
    """Share of the feature directions dropped in each step of the full head."""
    vote_noise: float = 3.7
    """m = (1 − ICC)/ICC: an image with n votes has the weight n/(n + m)."""
    likelihood: float = 0.05
    """Weight of the votes' negative log likelihood beside the squared earth mover's distance."""
    order: float = 0.0
    """0: the loss is the squared earth mover's distance and `likelihood`. Above 0: it is that of a
    Dirichlet-multinomial distribution plus this number times the squared earth mover's distance."""
    folds: int = 5
    """Members of the ensemble; each uses its own fold of near-duplicate groups for early stopping."""
    epochs: int = 200
    """Steps over all images, at most."""
    patience: int = 25
    """Learning stops after this number of epochs without a better validation loss of any member."""
    learning_rate: float = 0.02
    """Of Adam."""
    directions: int = 256
    """Weights are learned along this number of feature directions, those with the most variance."""


@dataclass(frozen=True)
class WatchConfig:
    """Settings of the watch head. Counts are of images with votes for or against a watch."""

    folds: int = 10
    """Of near-duplicate groups: held-out probabilities choose the threshold, and say whether the head is used."""
    labels_from: int = 100
    """Labelled images from which the head is learned. Fewer lowered the F1 by .03 in the worst simulated promotion."""
    inverse_penalty: float = 10.0
    """`C` of the logistic regression."""
