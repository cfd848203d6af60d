"""The loss curve of a run, with its finding as the title."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from annotation.drawing.axis import round_ticks
from annotation.drawing.lines import Line, lines
from annotation.drawing.svg import Svg
from annotation.language import gettext

# Smallest range of the y axis, as a share of the largest loss, so that a nearly constant loss looks flat.
_LEAST_RANGE = 0.01


@dataclass(frozen=True)
class LossCurve:
    """The training and validation loss by epoch."""

    title: str
    drawing: Svg


def loss_curve(history: Sequence[dict[str, Any]]) -> LossCurve | None:
    """Return the curve of [{epoch, train, validation}], or None for fewer than two epochs.

    Epochs with a loss that is not finite are left out.
    """
    history = [one for one in history if math.isfinite(one["train"]) and math.isfinite(one["validation"])]
    if len(history) < 2:
        return None
    epochs = [float(one["epoch"]) for one in history]
    train = [float(one["train"]) for one in history]
    validation = [float(one["validation"]) for one in history]
    best = min(range(len(validation)), key=validation.__getitem__)
    gain = (validation[0] - validation[best]) / validation[0] if validation[0] else 0.0
    title = (
        gettext("Validation loss fell by %(gain)s, lowest at epoch %(epoch)s")
        % {"gain": f"{gain:.0%}", "epoch": f"{epochs[best]:.0f}"}
        if gain > 0.005
        else gettext("Validation loss did not fall")
    )
    low, high = _range(train + validation)
    drawing = lines(
        name=gettext("%(title)s. Losses over %(epochs)s epochs.") % {"title": title, "epochs": len(epochs)},
        lines=[Line("train", epochs, train), Line("validation", epochs, validation)],
        x_range=(epochs[0], epochs[-1]),
        y_range=(low, high),
        x_ticks=round_ticks(epochs[0], epochs[-1], at_most=7, smallest_step=1),
        y_ticks=round_ticks(low, high),
        x_label=gettext("epoch"),
        best=(epochs[best], validation[best]),
    )
    return LossCurve(title=title, drawing=drawing)


def _range(losses: Sequence[float]) -> tuple[float, float]:
    """Return the ends of the y axis: the range of the losses with a margin."""
    low, high = min(losses), max(losses)
    least = max(_LEAST_RANGE * max(abs(low), abs(high)), 1e-6)
    margin = max((high - low) * 0.06, (least - (high - low)) / 2)
    return low - margin, high + margin
