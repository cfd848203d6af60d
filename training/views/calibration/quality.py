"""The section about quality scores."""

from collections.abc import Collection
from dataclasses import replace
from typing import Any

import numpy as np

from annotation.models import Campaign
from inference.models import ModelVersion
from training.evaluation import findings
from training.evaluation.calibration.filters import HOLDOUT, Filters
from training.evaluation.calibration.report import CalibrationFigures
from training.views.calibration_charts import address_with_placeholder

_FURTHEST_APART_SHOWN = 50
_PICKS_SHOWN = 8
# The mean of a bin with few photos would give away the prediction of a hidden one.
_FEWEST_WITH_HIDDEN = 5


def section(
    campaign: Campaign,
    version: ModelVersion,
    figures: CalibrationFigures,
    *,
    hidden: Collection[int],
    filters: Filters,
) -> dict[str, Any]:
    """Return the context of the section; {} without photos that have enough votes."""
    from training.drawing import charts  # imported here, because Bokeh takes half a second to import

    quality, scores = figures.quality, figures.scores
    if quality is None or scores is None:
        return {}
    shown = [photo for photo in quality.sample if photo.image_id not in hidden]
    apart = [photo for photo in quality.apart if photo.image_id not in hidden][:_FURTHEST_APART_SHOWN]
    scatter = charts.score_scatter(
        image_ids=np.array([photo.image_id for photo in shown], dtype=np.int64),
        names=[photo.name for photo in shown],
        predicted=np.array([photo.predicted for photo in shown]),
        mos=np.array([photo.mos for photo in shown]),
        votes=np.array([photo.votes for photo in shown], dtype=np.int64),
        scale=(campaign.scale_min, campaign.scale_max),
        photo_url=address_with_placeholder("photo", campaign.slug, 0),
        thumbnail_url=address_with_placeholder("photo-thumbnail", 0),
        title=findings.score_finding(scores, "holdout photos" if filters.split == HOLDOUT else "rated photos"),
        rng=np.random.default_rng(campaign.seed),
    )
    if len(quality.sample) < quality.photos:
        note = f"The chart shows a random {len(shown):,} of the {quality.photos:,} photos; the figures use all of them."
        scatter = replace(scatter, note=note)
    return {
        "quality": quality,
        "scatter": scatter,
        "score_bins": [one for one in quality.bins if not hidden or one.n >= _FEWEST_WITH_HIDDEN],
        "apart": apart,
        "picks": apart[:_PICKS_SHOWN],
        "spread_title": quality.spread_title,
        "people_histogram": list(quality.people_histogram),
        "model_histogram": list(quality.model_histogram),
    }
