"""The chart of all versions over time on the calibration page: stored for each campaign, computed by a worker.

`annotation.services.figures_rows` says when it is computed. A page never computes it, because it measures up to 16
versions.
"""

from typing import Any

from django.db.models import Max

from annotation.measures.votes import VoteTable
from annotation.models import Image
from annotation.selectors.votes import vote_table
from annotation.services.claims import Claims, Report
from annotation.services.figures_rows import CampaignFiguresMaker
from annotation.services.stored_figures import inputs_digest, vote_inputs
from inference.models import ModelVersion
from inference.selectors import newest_prediction
from training.evaluation.calibration.trend import Trend
from training.models import Promotion, StoredTrend
from training.selectors.comparison import scale_and_thresholds
from training.selectors.trend import chosen_versions, version_trend

CLAIMS = Claims(StoredTrend)


class _Maker(CampaignFiguresMaker[StoredTrend]):
    model, value = StoredTrend, Trend

    def inputs(self, row: StoredTrend) -> str:
        """Return the SHA-256 of votes, versions, their thresholds and predictions, and promotions (six queries)."""
        campaign = row.campaign
        versions = chosen_versions(campaign)
        shown = ModelVersion.objects.filter(pk__in=[version.pk for version in versions]).order_by("number")
        parts: list[Any] = [
            [campaign.scale_min, campaign.scale_max, campaign.seed],
            [[version.number, version.is_champion, str(scale_and_thresholds(version))] for version in versions],
            *vote_inputs(campaign),
            list(shown.values_list(newest_prediction(), flat=True)),  # predictions never change
            Promotion.objects.filter(campaign=campaign).aggregate(newest=Max("pk")),
        ]
        return inputs_digest(parts)

    def make(self, row: StoredTrend, tell: Report) -> tuple[Trend, VoteTable]:
        """Return the figures, and the votes on the holdout."""
        campaign = row.campaign
        figures = version_trend(campaign, tell=lambda done, total: tell("measuring versions", done, total))
        return Trend(figures), vote_table(campaign, split=Image.Split.HOLDOUT, for_evaluation=True)


TREND = _Maker()
