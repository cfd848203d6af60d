"""All layers of a network learn, under heads that stay as they are; one process, or several that share each batch.

Source of the order, head first and then the whole network: Kumar et al. (2022), 'Fine-tuning can distort pretrained
features and underperform out-of-distribution'.
"""

import copy
import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, distributed, nn

from inference.networks.backbone_base import StagedBackbone
from inference.networks.heads import Heads
from training.learning.checkpoints import Checkpoints
from training.learning.losses import opinion_loss, vote_weights
from training.learning.photo_pixels import PhotoPixels
from training.learning.recipe import History
from training.learning.whole_network_config import WholeNetworkConfig

Rows = NDArray[np.int64]
# Called after each batch with the share done (0 … 1), a text and the history. An exception stops the learning.
NetworkReport = Callable[[float, str, History], None]

_CHECKPOINT = "network"
_CPU = torch.device("cpu")
_WARMUP = 0.1  # share of the steps in which the learning rate rises
_GRADIENT_NORM = 5.0


@dataclass(frozen=True)
class NetworkJob:
    """What a network learns from."""

    network: StagedBackbone
    heads: Heads
    """On the features of the network. They do not learn."""
    photos: PhotoPixels
    """[N]"""
    histograms: NDArray[np.float32]
    """Votes on each photo [N, K]."""
    learned: Rows
    """The photos to learn from."""
    choosing: Rows
    """Photos of other groups, whose loss decides when to stop."""
    classes: NDArray[np.float16]
    """Logarithms of the class probabilities that the network gave before [N, 2, C]: of photos, and mirrored."""
    config: WholeNetworkConfig
    seed: int


@dataclass(frozen=True)
class TrainedNetwork:
    """The network of the best epoch."""

    state: dict[str, Tensor]
    """Of `NetworkJob.network`, on the processor."""
    epoch: int
    """0 if no epoch was better than the network before."""
    history: History


@dataclass(frozen=True)
class Place:
    """Which of the processes this one is, and where it computes."""

    rank: int = 0
    count: int = 1
    device: torch.device = _CPU

    def share(self, rows: Rows) -> Rows:
        """Return the rows that this process works on."""
        return rows[self.rank :: self.count]

    def total(self, values: Tensor) -> Tensor:
        """Return the sum of `values` over all processes."""
        if self.count > 1:
            distributed.all_reduce(values)
        return values


class _Learner(nn.Module):
    """The network with its heads, as one module for DistributedDataParallel."""

    def __init__(self, network: StagedBackbone, heads: Heads) -> None:
        super().__init__()
        self.network = network
        self.heads = copy.deepcopy(heads).requires_grad_(requires_grad=False)

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """Return quality logits [B, K] and logarithms of class probabilities [B, C] of pixels [B, side, side, 3]."""
        features = self.network(pixels)
        return self.heads.quality_logits(features), class_log_probabilities(features, self.heads)


def class_log_probabilities(features: Tensor, heads: Heads) -> Tensor:
    """Return logarithms of the ImageNet class probabilities [N, C] of features [N, D]."""
    if heads.classifier is None:
        return features[:, heads.config.class_part]
    pooled = features[:, heads.config.pooled_start : heads.config.pooled_stop]
    return nn.functional.linear(pooled, *heads.classifier).log_softmax(1)


def network_train(
    job: NetworkJob, *, report: NetworkReport, checkpoints: Checkpoints | None = None, place: Place | None = None
) -> TrainedNetwork:
    """Train all layers until the loss of the photos in `choosing` no longer falls; return the best epoch.

    Batch norms keep their statistics. The state is saved after each epoch; learning that was killed continues with the
    same result to the last bit, on the same number of threads and processes. `job.network` is changed.
    """
    place = place or Place()
    job.network.to(place.device).eval().requires_grad_(requires_grad=True)
    alone = _Learner(job.network, job.heads).to(place.device).eval()
    together = nn.parallel.DistributedDataParallel(alone, find_unused_parameters=True) if place.count > 1 else alone
    optimiser = torch.optim.AdamW(job.network.parameters(), lr=job.config.learning_rate, weight_decay=0.0)
    run = _Run(job, alone.heads, together, optimiser, place, report)
    if (state := checkpoints.load(_CHECKPOINT) if checkpoints else None) is None:
        run.begin()
    else:
        run.continue_from(state)
    while not run.is_over:
        run.epoch_make()
        if checkpoints and place.rank == 0:
            checkpoints.save(_CHECKPOINT, run.state())
    return TrainedNetwork(run.best_state, run.best_epoch, run.history)


class _Run:
    """The epochs. All that they change is in `state`."""

    def __init__(
        self,
        job: NetworkJob,
        heads: Heads,
        learner: nn.Module,
        optimiser: torch.optim.Optimizer,
        place: Place,
        report: NetworkReport,
    ) -> None:
        self.job, self.heads, self.learner, self.optimiser = job, heads, learner, optimiser
        self.place, self.report = place, report
        self.weights = vote_weights(torch.from_numpy(job.histograms[job.learned]), noise=job.config.vote_noise)
        self.history: History = []
        self.epoch = self.best_epoch = 0
        self.best_state: dict[str, Tensor] = {}
        self.seconds: list[float] = []
        """Of each epoch of this process, to tell the time left."""

    @property
    def is_over(self) -> bool:
        config = self.job.config
        return self.epoch >= config.epochs or self.epoch - self.best_epoch >= config.patience

    def begin(self) -> None:
        """Measure the losses before the first epoch."""
        self._epoch_end(self._loss(self.job.learned))

    def state(self) -> dict[str, object]:
        return {
            "network": self._network_state(),
            "optimiser": self.optimiser.state_dict(),
            "best": self.best_state,
            "best_epoch": self.best_epoch,
            "epoch": self.epoch,
            "history": self.history,
        }

    def continue_from(self, state: dict[str, object]) -> None:
        self.job.network.load_state_dict(state["network"])  # type: ignore[arg-type]  # written by `state`
        self.optimiser.load_state_dict(state["optimiser"])  # type: ignore[arg-type]
        self.best_state, self.best_epoch = state["best"], state["best_epoch"]  # type: ignore[assignment]
        self.epoch, self.history = state["epoch"], state["history"]  # type: ignore[assignment]

    def epoch_make(self) -> None:
        """Learn from all photos once, and measure the loss of those that decide."""
        job, config = self.job, self.job.config
        began = time.monotonic()
        self.epoch += 1
        rng = np.random.default_rng([job.seed, self.epoch])
        order = rng.permutation(len(job.learned))
        mirrored = rng.random(len(job.learned)) < config.mirrored
        starts = range(0, len(order), config.batch)
        total = torch.zeros(2, dtype=torch.float64, device=self.place.device)
        for number, start in enumerate(starts):
            rate = _rate((self.epoch - 1) * len(starts) + number, config.epochs * len(starts))
            for group in self.optimiser.param_groups:
                group["lr"] = config.learning_rate * rate
            batch = order[start : start + config.batch]
            total += self._step(batch, mirrored[batch])
            done = self.epoch - 1 + (number + 1) / len(starts)
            self.report(done / config.epochs, self._text(began, (number + 1) / len(starts)), self.history)
        losses = self.place.total(total)
        self.seconds.append(time.monotonic() - began)
        self._epoch_end(float(losses[0] / losses[1]))

    def _step(self, batch: Rows, mirrored: NDArray[np.bool_]) -> Tensor:
        """Learn from one batch, numbers of photos in `learned`; return the sums of losses and of weights [2]."""
        mine = self.place.share(np.arange(len(batch)))
        # A process without a photo goes along with the weight zero, because the others wait for its gradients.
        is_counted = torch.full((max(len(mine), 1),), float(bool(len(mine))), device=self.place.device)
        mine = mine if len(mine) else np.array([0])
        rows = self.job.learned[batch[mine]]
        logits, classes = self.learner(self._pixels(rows, mirrored[mine]))
        before = torch.from_numpy(self.job.classes[rows, mirrored[mine].astype(int)]).float().to(self.place.device)
        weights = self.weights[batch[mine]].to(self.place.device) * is_counted
        losses = opinion_loss(logits, self._votes(rows), likelihood=self.job.config.likelihood)
        moved = (before.exp() * (before - classes)).sum(1)
        loss = (weights * losses + self.job.config.classes_weight * is_counted * moved).sum() / len(batch)
        self.optimiser.zero_grad()
        # Gradients of several processes are averaged, and each has only its part of the batch.
        (loss * self.place.count).backward()
        nn.utils.clip_grad_norm_(self.job.network.parameters(), _GRADIENT_NORM)
        self.optimiser.step()
        return torch.stack([(weights * losses).detach().sum(), weights.sum()]).double()

    @torch.no_grad()
    def _loss(self, rows: Rows) -> float:
        """Return the loss of photos, with the weights of their votes."""
        weights = vote_weights(torch.from_numpy(self.job.histograms[rows]), noise=self.job.config.vote_noise)
        total = torch.zeros(2, dtype=torch.float64, device=self.place.device)
        mine = self.place.share(np.arange(len(rows)))
        for start in range(0, len(mine), self.job.config.batch):
            some = mine[start : start + self.job.config.batch]
            features = self.job.network(self._pixels(rows[some], np.zeros(len(some), dtype=bool)))
            logits = self.heads.quality_logits(features)
            losses = opinion_loss(logits, self._votes(rows[some]), likelihood=self.job.config.likelihood)
            share = weights[some].to(self.place.device)
            total += torch.stack([(share * losses).sum(), share.sum()]).double()
            self.report((self.epoch or 0) / self.job.config.epochs, self._text(time.monotonic(), 0.0), self.history)
        sums = self.place.total(total)
        return float(sums[0] / sums[1])

    def _epoch_end(self, train: float) -> None:
        losses = {"epoch": self.epoch, "train": round(train, 6), "validation": round(self._loss(self.job.choosing), 6)}
        self.history = [*self.history, losses]
        best = min(self.history, key=lambda one: one["validation"])
        if int(best["epoch"]) == self.epoch:  # of equal epochs, the first is the best
            self.best_epoch, self.best_state = self.epoch, self._network_state()

    def _network_state(self) -> dict[str, Tensor]:
        return {name: tensor.detach().cpu().clone() for name, tensor in self.job.network.state_dict().items()}

    def _pixels(self, rows: Rows, mirrored: NDArray[np.bool_]) -> Tensor:
        return self.job.photos.batch(rows, mirrored).to(self.place.device)

    def _votes(self, rows: Rows) -> Tensor:
        return torch.from_numpy(self.job.histograms[rows]).to(self.place.device)

    def _text(self, began: float, share: float) -> str:
        """Return what is being done, with the time left if all epochs are needed."""
        text = f"Learning the whole network: epoch {max(self.epoch, 1)} of {self.job.config.epochs} at most"
        if share < 0.1 and not self.seconds:
            return text
        now = time.monotonic() - began
        seconds = float(np.mean(self.seconds)) if self.seconds else now / share
        left = seconds * (self.job.config.epochs - self.epoch + 1 - share)
        return f"{text}, about {max(round(left / 60), 1)} min left"


def _rate(step: int, steps: int) -> float:
    """Return the share of the learning rate at a step: a short rise, then half a cosine wave down to zero."""
    rise = min(1.0, (step + 1) / max(_WARMUP * steps, 1))
    return rise * (1 + math.cos(math.pi * step / steps)) / 2
