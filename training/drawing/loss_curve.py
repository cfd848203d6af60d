"""The loss curve of a run as the coordinates of a small drawing."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

WIDTH, HEIGHT = 640, 240
_LEFT, _RIGHT, _TOP, _BOTTOM = 72, 16, 12, 48


@dataclass(frozen=True)
class Tick:
    """A mark on an axis: where it stands in the drawing, and what it says."""

    at: float
    text: str


@dataclass(frozen=True)
class LossCurve:
    """Two lines in a drawing of WIDTH × HEIGHT units, with their axes and the finding in words."""

    train: str
    """Points of an SVG polyline."""
    validation: str
    losses: list[Tick]
    epochs: list[Tick]
    best_x: float
    best_y: float
    title: str
    width: int = WIDTH
    height: int = HEIGHT
    left: int = _LEFT
    right: int = WIDTH - _RIGHT
    top: int = _TOP
    bottom: int = HEIGHT - _BOTTOM


def loss_curve(history: Sequence[dict[str, Any]]) -> LossCurve | None:
    """Return the drawing of [{epoch, train, validation}], or None with fewer than two epochs."""
    if len(history) < 2:
        return None
    epochs = [float(one["epoch"]) for one in history]
    train = [float(one["train"]) for one in history]
    validation = [float(one["validation"]) for one in history]
    low, high = min(train + validation), max(train + validation)
    margin = (high - low) * 0.06 or 1e-6
    low, high = low - margin, high + margin

    def x(epoch: float) -> float:
        share = (epoch - epochs[0]) / (epochs[-1] - epochs[0])
        return round(_LEFT + share * (WIDTH - _LEFT - _RIGHT), 1)

    def y(loss: float) -> float:
        return round(_TOP + (high - loss) / (high - low) * (HEIGHT - _TOP - _BOTTOM), 1)

    def line(losses: list[float]) -> str:
        return " ".join(f"{x(epoch)},{y(loss)}" for epoch, loss in zip(epochs, losses, strict=True))

    best = min(range(len(validation)), key=validation.__getitem__)
    gain = (validation[0] - validation[best]) / validation[0] if validation[0] else 0.0
    return LossCurve(
        train=line(train),
        validation=line(validation),
        losses=[
            Tick(y(loss), f"{loss:.3f}")
            for loss in (low + (high - low) * part / 4 for part in (0.25, 1.25, 2.25, 3.25))
        ],
        epochs=[Tick(x(epoch), f"{epoch:.0f}") for epoch in _round_steps(epochs[0], epochs[-1])],
        best_x=x(epochs[best]),
        best_y=y(validation[best]),
        title=f"Validation loss fell by {gain:.0%}, lowest at epoch {epochs[best]:.0f}"
        if gain > 0.005
        else "Validation loss has not fallen",
    )


def _round_steps(first: float, last: float) -> list[float]:
    """Return four to seven round numbers from first to last."""
    step = next(size for size in (1, 2, 5, 10, 20, 25, 50, 100, 200, 500, 10**6) if (last - first) / size <= 6)
    return [float(number) for number in range(int(first), int(last) + 1, step)]
