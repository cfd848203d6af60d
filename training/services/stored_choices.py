"""The figures of the page Next photos that take seconds: stored for each campaign, computed by a worker.

`annotation.services.figures_rows` says when they are computed.
"""

from typing import Any

from django.db.models import Count, Max

from annotation.measures.votes import VoteTable
from annotation.models import ConsensusFit, PhotoMap
from annotation.services.claims import Claims, Report
from annotation.services.figures_rows import CampaignFiguresMaker
from annotation.services.stored_figures import inputs_digest, vote_inputs
from training.models import StoredChoice
from training.selectors.choice import ChoiceFigures, choice_figures

CLAIMS = Claims(StoredChoice)
_SETTINGS = (
    *("scale_min", "scale_max", "seed", "backbone", "votes_per_image"),
    *("target_half_width", "target_watch", "fewest_votes", "most_votes"),
)


class _Maker(CampaignFiguresMaker[StoredChoice]):
    model, value = StoredChoice, ChoiceFigures

    def inputs(self, row: StoredChoice) -> str:
        """Return the SHA-256 of votes, photos, settings, map and consensus (seven queries)."""
        campaign = row.campaign
        parts: list[Any] = [
            [str(getattr(campaign, name)) for name in _SETTINGS],
            *vote_inputs(campaign),
            campaign.imports.aggregate(newest=Max("pk"), photos=Count("pk")),
            PhotoMap.objects.filter(campaign=campaign).values_list("fingerprint", flat=True).first(),
            ConsensusFit.objects.filter(campaign=campaign).values_list("pk", flat=True).first(),
        ]
        return inputs_digest(parts)

    def make(self, row: StoredChoice, tell: Report) -> tuple[ChoiceFigures, VoteTable]:
        """Return the figures, and the votes on train photos."""
        return choice_figures(row.campaign, tell)


CHOICE = _Maker()
