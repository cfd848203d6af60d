"""The figures of the page Next photos that take seconds: stored for each campaign, computed by a worker.

`annotation.services.figures_rows` says when they are computed.
"""

from typing import Any

from django.db.models import Count, Max

from annotation.measures.votes import VoteTable
from annotation.models import Campaign, ConsensusFit, PhotoMap
from annotation.services.claims import Claims, Report
from annotation.services.figures_rows import Figures, FiguresMaker, claimed_row_make, row_make, row_request
from annotation.services.stored_figures import inputs_digest, vote_inputs
from training.models import StoredChoice
from training.selectors.choice import ChoiceFigures, choice_figures

CLAIMS = Claims(StoredChoice)
_SETTINGS = (
    *("scale_min", "scale_max", "seed", "backbone", "votes_per_image"),
    *("target_half_width", "target_watch", "fewest_votes", "most_votes"),
)


class _Maker(FiguresMaker[StoredChoice]):
    def kind(self, row: StoredChoice) -> type[Any]:
        """Return the dataclass of the figures."""
        return ChoiceFigures

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

    def is_quick(self, row: StoredChoice) -> bool:
        """Return False: a page never computes it."""
        return False

    def make(self, row: StoredChoice, tell: Report) -> tuple[ChoiceFigures, VoteTable]:
        """Return the figures, and the votes on train photos."""
        return choice_figures(row.campaign, tell)


_MAKER = _Maker()


def choice_request(*, campaign: Campaign) -> Figures[StoredChoice]:
    """Return the stored figures. Newer ones are queued; the caller announces the task when they are `is_coming`."""
    return row_request(choice_row(campaign=campaign), _MAKER)


def choice_row(*, campaign: Campaign) -> StoredChoice:
    """Return the row of a campaign, which is empty at first."""
    row, _ = StoredChoice.objects.get_or_create(campaign=campaign)
    row.campaign = campaign  # saves a query
    return row


def choice_make(*, row: StoredChoice, report: Report | None = None) -> ChoiceFigures:
    """Compute the figures now, store and return them. `report`: called with each step."""
    figures: ChoiceFigures = row_make(row, _MAKER, report)
    return figures


def claimed_choice_make(*, row: StoredChoice) -> bool:
    """Compute the figures of a claimed row, with a heartbeat. Return whether it worked; log and store a failure."""
    return claimed_row_make(row, _MAKER)
