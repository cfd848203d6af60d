"""Losses between quality logits and score histograms.

Source: Talebi & Milanfar (2018), 'NIMA: neural image assessment'. The loss is
their distance with r = 2, without the root: its gradient is unbounded where the two distributions agree.
"""

import torch
from torch import Tensor


def emd_squared(logits: Tensor, histograms: Tensor) -> Tensor:
    """Return 1/K · Σ_k (CDF_p − CDF_c)² per image.

    `logits` [..., N, K] and `histograms` [N, K] (counts, at least one per image) → [..., N], in [0, 1).
    """
    predicted = logits.softmax(dim=-1).cumsum(dim=-1)
    given = (histograms / histograms.sum(dim=-1, keepdim=True)).cumsum(dim=-1)
    return (predicted - given).square().mean(dim=-1)


def negative_log_likelihood(logits: Tensor, histograms: Tensor) -> Tensor:
    """Return −Σ_k c_k log p_k / n, the mean over an image's votes, per image in nats; shapes as for `emd_squared`."""
    shares = histograms / histograms.sum(dim=-1, keepdim=True)
    return -(shares * logits.log_softmax(dim=-1)).sum(dim=-1)


def opinion_loss(logits: Tensor, histograms: Tensor, *, likelihood: float) -> Tensor:
    """Return the squared earth mover's distance plus `likelihood` times the negative log likelihood, per image."""
    distance = emd_squared(logits, histograms)
    if not likelihood:
        return distance
    return distance + likelihood * negative_log_likelihood(logits, histograms)


def dirichlet_multinomial_loss(logits: Tensor, histograms: Tensor, concentration: Tensor, *, order: float) -> Tensor:
    """Return the negative log likelihood of votes of a Dirichlet-multinomial distribution, per image and vote, in nats.

    With α = s·p and n votes c: lgamma(n + s) − lgamma(s) − Σ_k [lgamma(c_k + α_k) − lgamma(α_k)], without the constant
    of the counts (Minka 2000, 'Estimating a Dirichlet distribution'). More votes on one image say less and less,
    because images differ in more than their features. `concentration` is s > 0, broadcast over images [..., 1]. `order`
    times the squared earth mover's distance is added: the likelihood alone does not know that scores have an order.
    """
    alpha = concentration[..., None] * logits.softmax(dim=-1) + 1e-6
    total, votes = alpha.sum(dim=-1), histograms.sum(dim=-1)
    likelihood = torch.lgamma(total + votes) - torch.lgamma(total)
    likelihood = likelihood - (torch.lgamma(histograms + alpha) - torch.lgamma(alpha)).sum(dim=-1)
    return likelihood / votes + order * emd_squared(logits, histograms)


def vote_weights(histograms: Tensor, *, noise: float) -> Tensor:
    """Return n/(n + m) per image [N], scaled to mean 1: images with more votes weigh more.

    `noise` is m = (1 − ICC)/ICC, the number of votes whose mean is half signal.
    """
    votes = histograms.sum(dim=-1)
    weights = votes / (votes + noise)
    return weights / weights.mean()
