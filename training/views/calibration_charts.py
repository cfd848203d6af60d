"""The charts that the calibration page and the comparison of two versions have in common."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from django.urls import reverse

from annotation.measures import calibration as reliability
from annotation.measures import classification
from annotation.models import Campaign
from training.evaluation import findings
from training.evaluation.comparison import Comparison

# With fewer labelled photos a reliability diagram shows only noise.
_RELIABILITY_NEEDS = 20
_PHOTOS_PER_BIN, _FEWEST_BINS, _MOST_BINS = 20, 4, 10


@dataclass(frozen=True)
class Reliability:
    """A reliability diagram with its bins."""

    bins: Any
    diagram: Any


def score_scatter(campaign: Campaign, shown: Comparison, *, title: str) -> Any:
    """Return the chart of predicted means and MOS of the photos that the reviewer may see one by one."""
    from training.drawing import charts  # imported here, because Bokeh takes half a second to import

    return charts.score_scatter(
        image_ids=shown.image_ids,
        names=shown.names,
        predicted=shown.quality_mean,
        mos=shown.mos,
        votes=shown.vote_counts,
        scale=(shown.lowest, shown.highest),
        photo_url=address_with_placeholder("photo", campaign.slug, 0),
        thumbnail_url=address_with_placeholder("photo-thumbnail", 0),
        title=title,
        rng=np.random.default_rng(campaign.seed),
    )


def watch_reliability(comparison: Comparison, *, before: str = "") -> Reliability | None:
    """Return the reliability of the watch probability; None with few majority labels, or of one kind only.

    `before`: words in front of the finding in the title.
    """
    from training.drawing import charts

    decided = comparison.has_majority
    probabilities, labels = comparison.watch_probability[decided], comparison.is_watch[decided]
    if len(labels) < _RELIABILITY_NEEDS or labels.min() == labels.max():
        return None
    bins = reliability.reliability_bins(
        probabilities, labels, bins=int(np.clip(len(labels) // _PHOTOS_PER_BIN, _FEWEST_BINS, _MOST_BINS))
    )
    finding = findings.reliability_finding(
        bins,
        float(classification.brier(probabilities, labels)),
        reliability.expected_calibration_error(probabilities, labels),
    )
    diagram = charts.reliability_diagram(
        predicted=np.array([one.predicted for one in bins]),
        observed=np.array([one.observed.value for one in bins]),
        low=np.array([one.observed.low for one in bins]),
        high=np.array([one.observed.high for one in bins]),
        counts=np.array([one.n for one in bins]),
        title=before + finding,
    )
    return Reliability(bins, diagram)


def address_with_placeholder(name: str, *arguments: Any) -> str:
    """Return the URL of a photo's page or file with `@image` in place of its id, for the charts."""
    return "@image".join(reverse(name, args=arguments).rsplit("0", 1))
