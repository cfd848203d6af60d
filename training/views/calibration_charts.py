"""What the calibration page and the comparison of two versions have in common."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.urls import reverse

from annotation.measures.calibration import ReliabilityBin
from annotation.models import Campaign
from training.evaluation.calibration import titles
from training.evaluation.calibration.photos import ComparedPhoto
from training.evaluation.calibration.watch_reliability import WatchReliability
from training.evaluation.calibration.watch_reliability import watch_reliability as measured_reliability
from training.evaluation.comparison import Comparison


@dataclass(frozen=True)
class Reliability:
    """A reliability diagram with its bins."""

    bins: Sequence[ReliabilityBin]
    diagram: Any


def score_scatter(campaign: Campaign, shown: Comparison, *, title: str) -> Any:
    """Return the chart of predicted means and MOS of the photos that the reviewer may see one by one."""
    from training.drawing import score_charts  # imported here, because Bokeh takes half a second to import

    return score_charts.score_scatter(
        score_charts.PhotoPoints(
            image_ids=shown.image_ids,
            names=shown.names,
            predicted=shown.quality_mean,
            mos=shown.mos,
            votes=shown.vote_counts,
        ),
        scale=(shown.lowest, shown.highest),
        links=photo_links(photo_addresses(campaign)),
        title=title,
        rng=np.random.default_rng(campaign.seed),
    )


def photo_points(photos: Sequence[ComparedPhoto], forecasts: Sequence[tuple[float, float]] = ()) -> Any:
    """Return stored photos for the charts; `forecasts` are the model's intervals of their MOS, one each, or none.

    Without forecasts they have no intervals at all.
    """
    from training.drawing import score_charts

    intervals = {}
    if forecasts or not photos:
        intervals = {
            "mos_interval": (np.array([one.low for one in photos]), np.array([one.high for one in photos])),
            "forecast": (np.array([low for low, _ in forecasts]), np.array([high for _, high in forecasts])),
        }
    return score_charts.PhotoPoints(
        image_ids=np.array([one.image_id for one in photos], dtype=np.int64),
        names=[one.name for one in photos],
        predicted=np.array([one.predicted for one in photos], dtype=np.float64),
        mos=np.array([one.mos for one in photos], dtype=np.float64),
        votes=np.array([one.votes for one in photos], dtype=np.int64),
        **intervals,
    )


def watch_reliability(comparison: Comparison, *, seed: int, before: str = "") -> Reliability | None:
    """Return the reliability of the watch probability; None with few majority labels, or of one kind only.

    `before`: words in front of the title. The seed fixes the band.
    """
    part = comparison.part(comparison.has_majority)
    found = measured_reliability(part.watch_probability, part.is_watch, part.groups, seed=seed)
    if found is None:
        return None
    title = titles.reliability_text(found, photos=len(part), watches=int(part.is_watch.sum()))
    return Reliability(found.bins, reliability_chart(found, title=before + title))


def reliability_chart(found: WatchReliability, *, title: str) -> Any:
    """Return the reliability diagram with the band of right probabilities."""
    from training.drawing import watch_charts

    return watch_charts.reliability_diagram(
        predicted=np.array([one.predicted for one in found.bins]),
        observed=np.array([one.observed.value for one in found.bins]),
        low=np.array([one.observed.low for one in found.bins]),
        high=np.array([one.observed.high for one in found.bins]),
        counts=np.array([one.n for one in found.bins]),
        band=(np.array(found.low), np.array(found.high)),
        title=title,
    )


def photo_addresses(campaign: Campaign) -> tuple[str, str]:
    """Return the addresses of the page and of the thumbnail of a photo of a campaign, with `@image` for its id."""
    return _address_with_placeholder("photo", campaign.slug, 0), _address_with_placeholder("photo-thumbnail", 0)


def photo_links(addresses: tuple[str, str]) -> Any:
    """Return `photo_addresses` for the charts."""
    from training.drawing.bokeh_chart import PhotoLinks

    return PhotoLinks(*addresses)


def _address_with_placeholder(name: str, *arguments: Any) -> str:
    """Return the URL of a photo's page or file with `@image` in place of its id, for the charts."""
    return "@image".join(reverse(name, args=arguments).rsplit("0", 1))
