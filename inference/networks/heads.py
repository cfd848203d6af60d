"""Heads: compute watch probability and quality distribution from stored features."""

from dataclasses import asdict, dataclass
from typing import Any, NamedTuple, Self

import torch
from torch import Tensor, nn

from inference.networks.backbones import classifier_load
from inference.networks.config import EFFICIENTNET_LITE0, LOOKALIKES, MASKED_LOGIT, BackboneConfig, lookalikes

PRIOR_BINS = 10
LOGITS, THRESHOLDS = "logits", "thresholds"
INPUT_LIMIT = 8.0  # standardised features are clipped to ± this number
_CLIP = 1e-7  # keeps log-odds finite: smaller sums of synset probabilities are set to it


@dataclass(frozen=True)
class HeadsConfig:
    """The shape of a pair of heads."""

    feature_size: int
    """D, the length of the feature vector."""
    pooled_start: int
    """Where the pooled last layer begins in the vector."""
    pooled_stop: int
    """Where it ends and class log-probabilities begin."""
    bins: int
    """K, the opinion scores of the campaign's scale."""
    hidden: int
    """Units of the quality head's hidden layer; 0: a linear head."""
    dropout: float
    """Dropout probability of hidden units in training."""
    synsets: tuple[int, ...]
    """ImageNet classes whose probabilities are added up."""
    inner_bins: int = PRIOR_BINS
    """Bins that the quality head computes before they are mapped to `bins`."""
    backbone: str = EFFICIENTNET_LITE0.name
    """Name of the backbone whose features and ImageNet classifier are used."""
    quality_input: str = "all"
    """Input of the quality head: "all" features up to the classes, or the "pooled" last layer only."""
    form: str = LOGITS
    """How the distribution is computed: from the "logits" of the quality head, or by "thresholds" on one line."""
    support: int = 0
    """M, the photos whose similarity to a photo moves its line; 0: none. Only for thresholds."""
    support_size: int = 0
    """R, the numbers that describe a photo when similarities are computed."""
    second_size: int = 0
    """Numbers at the end of the vector that describe the photo in a second size: stages, then classes. Only the line
    reads them."""

    @property
    def quality_size(self) -> int:
        """Return the input size of the quality head."""
        return self.pooled_stop if self.quality_input == "all" else self.pooled_stop - self.pooled_start

    @property
    def classes(self) -> int:
        """Return the number of class log-probabilities in the features; 0: the heads have the ImageNet classifier."""
        return self.feature_size - self.second_size - self.pooled_stop

    @property
    def class_part(self) -> slice:
        """Return where the class log-probabilities are in the vector."""
        return slice(self.pooled_stop, self.feature_size - self.second_size)

    def as_card(self) -> dict[str, Any]:
        """Return the configuration as JSON values."""
        return {**asdict(self), "synsets": list(self.synsets)}

    @classmethod
    def from_card(cls, card: dict[str, Any]) -> Self:
        """Return the configuration that `as_card` wrote."""
        return cls(**{**card, "synsets": tuple(card["synsets"])})


class HeadsOutput(NamedTuple):
    """Output of the heads for N photos."""

    synset_probabilities: Tensor  # [N, S]
    watch_logit: Tensor  # [N], log-odds
    quality_logits: Tensor  # [N, K]; softmax gives the distribution


class Heads(nn.Module):
    """A watch head and a quality head on the features of one backbone.

    Watch: logit = a·logit(Σ synset probabilities) + b + w·standardised pooled features. Untrained
    heads have a = 1, b = 0, w = 0, which gives exactly the sum of the probabilities, computed without the lookalikes of
    the synsets (`inference.networks.config.lookalikes`). Class probabilities are part of the features, or the ImageNet
    classifier computes them from the pooled layer.
    Quality: standardised features, all or pooled → (hidden layer →) logits over the scores.
    With thresholds, these logits only give the prior's mean score m, 0 for the lowest score of the scale. The line

        η = prior_weight·m + line_weight·z + line_offset + Σ_i support_weight_i·exp(−|P z − s_i|²/2)

    decides the distribution: P(score ≤ k) = Φ(t_k − η), the cumulative probit model (McCullagh 1980, 'Regression models
    for ordinal data'). z are all features, standardised by the photos that the line was learned from; P projects them
    and s_i are such projections of other photos; the sum is empty unless the heads have them.
    """

    feature_mean: Tensor
    feature_std: Tensor
    class_weight: Tensor
    class_bias: Tensor
    class_offset: Tensor
    rebin: Tensor
    input_mean: Tensor
    input_spread: Tensor
    line_weight: Tensor
    line_offset: Tensor
    prior_weight: Tensor
    thresholds: Tensor
    projection: Tensor
    support: Tensor
    support_weight: Tensor

    def __init__(self, config: HeadsConfig, classifier: tuple[Tensor, Tensor] | None = None) -> None:
        """Build heads with untrained quality weights.

        `classifier`: the ImageNet classifier (weight [classes, pooled], bias [classes]); only if the features have no
        class probabilities.
        """
        super().__init__()
        self.config = config
        assert (classifier is None) == bool(config.classes)
        if classifier is not None:
            weight, bias = classifier
            self.register_buffer("class_weight", weight.detach().clone())
            self.register_buffer("class_bias", bias.detach().clone())
            offset = torch.zeros(len(bias))
            offset[[one for one in lookalikes(config.synsets) if one < len(bias)]] = MASKED_LOGIT
            self.register_buffer("class_offset", offset, persistent=False)
        self.register_buffer("rebin", rebin_matrix(config.inner_bins, config.bins), persistent=False)
        self.register_buffer("feature_mean", torch.zeros(config.pooled_stop))
        self.register_buffer("feature_std", torch.ones(config.pooled_stop))
        self.watch_scale = nn.Parameter(torch.ones(()))
        self.watch_shift = nn.Parameter(torch.zeros(()))
        self.watch_weight = nn.Parameter(torch.zeros(config.pooled_stop - config.pooled_start))
        self.quality: nn.Module = (
            nn.Sequential(
                nn.Linear(config.quality_size, config.hidden),
                nn.GELU(),
                nn.Dropout(config.dropout),
                nn.Linear(config.hidden, config.inner_bins),
            )
            if config.hidden
            else nn.Linear(config.quality_size, config.inner_bins)
        )

        if config.form == THRESHOLDS:
            self._thresholds_make()

    def _thresholds_make(self) -> None:
        """Add the tensors of the form "thresholds", without effect of the features."""
        config, size = self.config, self.config.feature_size
        self.register_buffer("input_mean", torch.zeros(size))
        self.register_buffer("input_spread", torch.ones(size))
        self.register_buffer("line_weight", torch.zeros(size))
        self.register_buffer("line_offset", torch.zeros(()))
        self.register_buffer("prior_weight", torch.zeros(()))
        self.register_buffer("thresholds", torch.arange(config.bins - 1) - (config.bins - 2) / 2)
        if config.support:
            self.register_buffer("projection", torch.zeros(size, config.support_size))
            self.register_buffer("support", torch.zeros(config.support, config.support_size))
            self.register_buffer("support_weight", torch.zeros(config.support))

    def standardise(self, features: Tensor) -> Tensor:
        """Return (features − mean) / standard deviation, clipped to ±8, of the features before the classes."""
        return ((features[:, : self.config.pooled_stop] - self.feature_mean) / self.feature_std).clamp(
            -INPUT_LIMIT, INPUT_LIMIT
        )

    @property
    def classifier(self) -> tuple[Tensor, Tensor] | None:
        """Return the ImageNet classifier in the heads, or None."""
        return None if self.config.classes else (self.class_weight, self.class_bias)

    def quality_features(self, standardised: Tensor) -> Tensor:
        """Return the part of the standardised features [N, pooled_stop] that the quality head uses."""
        if self.config.quality_input == "all":
            return standardised
        return standardised[:, self.config.pooled_start : self.config.pooled_stop]

    def zero_shot(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Return the synset probabilities [N, S] and the log-odds of their sum [N]."""
        synsets = self._synsets_from_classes(features) if self.config.classes else self._synsets_from_pooled(features)
        total = synsets.sum(1).clamp(_CLIP, 1 - _CLIP)
        return synsets, total.log() - (1 - total).log()

    def _synsets_from_classes(self, features: Tensor) -> Tensor:
        """Return the synset probabilities [N, S] from class probabilities in the features, without lookalikes.

        The features contain probabilities of lookalikes among all classes, and of the others among all classes except
        the lookalikes (`LiteBackbone`).
        """
        probabilities = features[:, self.config.class_part].exp()
        left = (1 - probabilities[:, list(LOOKALIKES)].sum(1, keepdim=True)).clamp(min=_CLIP)
        # One operation for all synsets: with one for each, the export of a few hundred took minutes.
        is_lookalike = torch.tensor([one in LOOKALIKES for one in self.config.synsets])
        chosen = probabilities[:, list(self.config.synsets)]
        chosen = torch.where(is_lookalike, chosen, left * chosen)
        out = list(lookalikes(self.config.synsets))
        whole = (1 - probabilities[:, out].sum(1, keepdim=True)).clamp(min=_CLIP) if out else 1.0
        return chosen / whole

    def _synsets_from_pooled(self, features: Tensor) -> Tensor:
        """Return the synset probabilities [N, S] from the ImageNet classifier on the pooled layer."""
        start, stop = self.config.pooled_start, self.config.pooled_stop
        bias = self.class_bias + self.class_offset
        probabilities = nn.functional.linear(features[:, start:stop], self.class_weight, bias).softmax(1)
        return probabilities[:, list(self.config.synsets)]

    def forward(self, features: Tensor) -> HeadsOutput:
        """Return predictions for features float32 [N, D]."""
        start, stop = self.config.pooled_start, self.config.pooled_stop
        standardised = self.standardise(features)
        synsets, log_odds = self.zero_shot(features)
        learned = standardised[:, start:stop] @ self.watch_weight
        watch = self.watch_scale * log_odds + self.watch_shift + learned
        return HeadsOutput(synsets, watch, self._quality(features, standardised))

    def quality_logits(self, features: Tensor) -> Tensor:
        """Return the quality logits [N, K] alone."""
        return self._quality(features, self.standardise(features))

    def _quality(self, features: Tensor, standardised: Tensor) -> Tensor:
        logits = self.prior_logits(standardised)
        return self._line_logits(features, logits) if self.config.form == THRESHOLDS else logits

    def prior_logits(self, standardised: Tensor) -> Tensor:
        """Return logits [N, K] on the campaign's scale, from the quality head alone."""
        return self.to_scale(self.quality(self.quality_features(standardised)))

    def to_scale(self, logits: Tensor) -> Tensor:
        """Return logits on the campaign's scale [..., K] for logits of the quality head's own bins [..., B]."""
        if self.config.bins == self.config.inner_bins:
            return logits
        return (logits.softmax(-1) @ self.rebin + 1e-8).log()

    def _line_logits(self, features: Tensor, prior_logits: Tensor) -> Tensor:
        """Return the logarithms of the distributions that the line and the thresholds give [N, K]."""
        steps = torch.arange(self.config.bins, dtype=prior_logits.dtype, device=prior_logits.device)
        prior_mean = prior_logits.softmax(1) @ steps
        inputs = ((features - self.input_mean) / self.input_spread).clamp(-INPUT_LIMIT, INPUT_LIMIT)
        line = self.prior_weight * prior_mean + inputs @ self.line_weight + self.line_offset
        if self.config.support:
            places = inputs @ self.projection
            # |a − b|² = |a|² + |b|² − 2·a·b, so that no [N, M, R] differences are made.
            squares = places.square().sum(1, keepdim=True) + self.support.square().sum(1)
            distances = (squares - 2 * places @ self.support.T).clamp(min=0)
            line = line + (-distances / 2).exp() @ self.support_weight
        below = 0.5 * (1 + torch.erf((self.thresholds - line[:, None]) * 0.5**0.5))
        ends = torch.ones_like(below[:, :1])
        shares = torch.cat([below, ends], 1) - torch.cat([0 * ends, below], 1)
        return (shares.clamp(min=0) + 1e-8).log()


def rebin_matrix(bins: int, new_bins: int) -> Tensor:
    """Return the map [bins, new_bins] that spreads each bin's probability over the new bins it overlaps.

    Both scales cover the same range, and probability is uniform within a bin, so rows add up to one.
    """
    edges, new_edges = torch.arange(bins + 1) / bins, torch.arange(new_bins + 1) / new_bins
    low = torch.maximum(edges[:-1, None], new_edges[None, :-1])
    high = torch.minimum(edges[1:, None], new_edges[None, 1:])
    overlap = (high - low).clamp(min=0.0)
    return overlap / overlap.sum(1, keepdim=True)


def heads_fresh(
    config: BackboneConfig,
    *,
    bins: int,
    synsets: tuple[int, ...],
    hidden: int = 64,
    quality_input: str = "all",
    classifier: tuple[Tensor, Tensor] | None = None,
) -> Heads:
    """Return heads for a backbone with an untrained quality head.

    With `hidden` units on the "pooled" layer they are the usual dense layer of fine-tuned classifiers. `classifier`:
    the backbone's ImageNet classifier; loaded by default if the features have no class probabilities. Raises
    WeightsMissing if it is missing.
    """
    if classifier is None and not config.classes:
        classifier = classifier_load(config)
    return Heads(
        HeadsConfig(
            feature_size=config.feature_size,
            pooled_start=config.pooled_start,
            pooled_stop=config.pooled_stop,
            bins=bins,
            hidden=hidden,
            dropout=0.5,
            synsets=synsets,
            backbone=config.name,
            quality_input=quality_input,
            second_size=config.second_size,
        ),
        classifier,
    )
