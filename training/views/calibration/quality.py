"""The section about quality scores."""

from collections.abc import Collection, Sequence
from math import isnan
from typing import Any

import numpy as np
from django.utils.translation import gettext, ngettext

from annotation.measures.signs import minus
from annotation.models import Campaign
from inference.models import ModelVersion
from training.evaluation.calibration import titles
from training.evaluation.calibration.filters import HOLDOUT, Filters
from training.evaluation.calibration.photos import ComparedPhoto
from training.evaluation.calibration.quality import QualityFigures
from training.evaluation.calibration.report import CalibrationFigures
from training.evaluation.comparison import ScoreFigures
from training.evaluation.registry import METRICS
from training.views.calibration.kept_charts import charts_kept
from training.views.calibration_charts import photo_addresses, photo_links, photo_points

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
    quality, scores = figures.quality, figures.scores
    if quality is None or scores is None:
        return {}
    apart = [photo for photo in quality.apart if photo.image_id not in hidden][:_FURTHEST_APART_SHOWN]
    words = (
        ngettext("%(photos)s holdout photo", "%(photos)s holdout photos", quality.photos)
        if filters.split == HOLDOUT
        else ngettext("%(photos)s rated photo", "%(photos)s rated photos", quality.photos)
    )
    photos = words % {"photos": f"{quality.photos:,}"}
    return _charts(campaign, quality, scores, photos, hidden) | {
        "quality": quality,
        "quality_rows": _rows(quality, scores),
        "score_bins": [one for one in quality.bins if not hidden or one.n >= _FEWEST_WITH_HIDDEN],
        "apart": apart,
        "apart_rows": _apart_rows(apart, photo_addresses(campaign)[0]),
        "picks": apart[:_PICKS_SHOWN],
        "spread_title": titles.spread_title(quality),
        "people_histogram": list(quality.people_histogram),
        "model_histogram": list(quality.model_histogram),
        "pit_rows": _percents(quality.pit.shares, quality.pit.low, quality.pit.high),
        "coverage_title": titles.coverage_title(quality.coverage[0]),
        "coverage_rows": [
            {
                "name": (gettext("%(level)s %% of the MOS") if one.of_mos else gettext("%(level)s %% of the next vote"))
                % {"level": f"{100 * one.level:.0f}"},
                "promised": 100 * one.promised,
                "observed": one.observed,
                "width": one.width,
            }
            for one in quality.coverage
        ],
    }


def _charts(
    campaign: Campaign, quality: QualityFigures, scores: ScoreFigures, photos: str, hidden: Collection[int]
) -> dict[str, Any]:
    """Return the Bokeh charts; single photos only where the reviewer may see their predictions."""
    kept = [place for place, photo in enumerate(quality.sample) if photo.image_id not in hidden]
    scale = (campaign.scale_min, campaign.scale_max)
    return charts_kept(_drawn, scale, campaign.seed, photo_addresses(campaign), quality, scores, photos, kept)


def _drawn(
    scale: tuple[int, int],
    seed: int,
    addresses: tuple[str, str],
    quality: QualityFigures,
    scores: ScoreFigures,
    photos: str,
    kept: Sequence[int],
) -> dict[str, Any]:
    """Return the Bokeh charts with the photos of the sample at the places `kept`."""
    from training.drawing import score_charts  # imported here, because Bokeh takes half a second to import

    shown = [quality.sample[place] for place in kept]
    common: dict[str, Any] = {
        "scale": scale,
        "links": photo_links(addresses),
        "rng": np.random.default_rng(seed),
        # A sample stands for all photos; photos that are only hidden are named by the page.
        "of": quality.photos if len(quality.sample) < quality.photos else len(shown),
    }
    return {
        "scatter": score_charts.score_scatter(
            photo_points(shown, [quality.forecasts[place] for place in kept]),
            title=titles.line_title(quality.line, scores.bias, photos),
            line=quality.line,
            running=quality.running_mos,
            **common,
        ),
        "residuals": score_charts.residual_chart(
            photo_points(shown),
            by_people=False,
            title=titles.residual_title(quality, scores.bias),
            running=quality.running_by_model,
            **common,
        ),
        "residuals_by_people": score_charts.residual_chart(
            photo_points(shown),
            by_people=True,
            title=titles.ends_title(quality),
            running=quality.running_by_people,
            expected=(quality.mos_mean, quality.noise_share),
            **common,
        ),
        "pit": score_charts.pit_chart(quality.pit, title=titles.pit_title(quality.pit)),
    }


def _apart_rows(photos: Sequence[ComparedPhoto], address: str) -> list[dict[str, str]]:
    """Return the texts of the table of photos. Templates would need 0.3 ms for each."""
    return [
        {
            "page": address.replace("@image", str(one.image_id)),
            "name": one.name,
            "predicted": f"{one.predicted:.2f}",
            "mos": f"{one.mos:.2f} ({one.low:.2f}–{one.high:.2f})",
            "votes": f"{one.votes}",
            "difference": minus(f"{one.difference:.2f}"),
        }
        for one in photos
    ]


def _rows(quality: QualityFigures, scores: ScoreFigures) -> Sequence[tuple[str, str, str]]:
    """Return (name, figure with interval, what it is) of every figure about scores."""
    points = gettext(METRICS["quality_rmse"].unit)
    return [
        (gettext(METRICS["quality_srcc"].label), titles.interval_text(scores.srcc),
         gettext(METRICS["quality_srcc"].explanation)),
        (gettext("Quality KRCC"), titles.interval_text(quality.krcc), gettext(
"Kendall's rank correlation (τ_b): the share of pairs of "
         "photos in the same order minus the share in the opposite order."
)),
        (gettext(METRICS["quality_plcc"].label), titles.interval_text(quality.plcc),
         gettext(METRICS["quality_plcc"].explanation)),
        (gettext("Ceiling √r_k"), _ceiling(scores), gettext(
"The correlation that a perfect model would have with these votes: a MOS of "
         "few votes is itself inexact."
)),
        (gettext("Worth"), scores.worth.text if scores.worth.is_known else "–",
         gettext("The mean of so many annotators would correlate with the MOS as well as the model does.")),
        (gettext("Agreement between annotators (split-half)"), _number(scores.split_half),
         gettext(
"SRCC of the means of two halves of each photo's votes: between different people, not of people with "
         "themselves. Each half has fewer votes than the MOS, so a good model can exceed it."
)),
        (gettext("Model − MOS"), titles.signed_text(scores.bias, 2), gettext("Mean difference, in points.")),
        (gettext(METRICS["quality_rmse"].label), f"{titles.interval_text(scores.rmse)} {points}",
         gettext(METRICS["quality_rmse"].explanation)),
        (gettext("Quality MAE"), f"{titles.interval_text(quality.mae)} {points}",
         gettext("Mean absolute difference of predicted mean and MOS.")),
        (gettext(METRICS["quality_emd"].label), titles.interval_text(quality.emd, 3),
         gettext(
             "%(explanation)s The distribution of all votes for every photo would have %(emd_of_average)s; about "
             "%(emd_if_right)s would remain if each vote came from the predicted distribution, because histograms "
             "of few votes are rough."
         ) % {
             "explanation": gettext(METRICS["quality_emd"].explanation),
             "emd_of_average": f"{quality.emd_of_average:.3f}",
             "emd_if_right": f"{quality.emd_if_right:.3f}",
         }),
        (gettext(METRICS["quality_rps"].label), f"{titles.interval_text(quality.rps, 3)} {points}",
         gettext(METRICS["quality_rps"].explanation)),
    ]  # fmt: skip


def _percents(*columns: Sequence[float]) -> list[tuple[float, ...]]:
    """Return the rows of columns of shares, in percent."""
    return [tuple(100 * value for value in row) for row in zip(*columns, strict=True)]


def _ceiling(scores: ScoreFigures) -> str:
    if not scores.ceiling.is_known:
        return "–"
    return gettext("%(ceiling)s, by %(form)s") % {
        "ceiling": titles.interval_text(scores.ceiling.value),
        "form": gettext(scores.ceiling.form.label),
    }


def _number(value: float) -> str:
    return "–" if isnan(value) else minus(f"{value:.2f}")
