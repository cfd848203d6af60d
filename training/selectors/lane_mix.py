"""Which lanes the last answers came from, beside the shares that the campaign wants."""

from collections import Counter
from dataclasses import dataclass

from django.utils.translation import gettext

from annotation.measures.intervals import Interval, wilson_interval
from annotation.models import Assignment, Campaign
from annotation.services.lane_registry import RANDOM, lane_labels, lane_shares_known
from annotation.services.queue_lanes import GOLD, REPEAT

LAST = 200


@dataclass(frozen=True)
class LaneShare:
    """A lane: its wanted and its given share of the last answers."""

    name: str
    label: str
    wanted: float
    """0 … 1. Hidden repeats and gold photos take their shares first, and the lanes share the rest."""
    given: Interval
    """By Wilson."""
    answers: int

    @property
    def differs(self) -> bool:
        """Return whether the wanted share lies outside the interval of the given one."""
        return not self.given.low <= self.wanted <= self.given.high


@dataclass(frozen=True)
class LaneMix:
    """The last answers by lane, the largest wanted share first."""

    lanes: list[LaneShare]
    answers: int

    @property
    def differing(self) -> list[LaneShare]:
        """Return the lanes whose share differs from the wanted one by more than chance."""
        return [one for one in self.lanes if one.differs]


def lane_mix(campaign: Campaign) -> LaneMix:
    """Return the mix of the last answers (one query). Without answers it has no lanes."""
    done = Assignment.objects.filter(campaign=campaign, state=Assignment.State.DONE)
    given = Counter(done.order_by("-pk").values_list("lane", flat=True)[:LAST])
    total = given.total()
    if not total:
        return LaneMix([], 0)
    rated = 1 - campaign.repeat_share - campaign.gold_share
    wanted = {name: share * rated for name, share in lane_shares_known(campaign.lane_shares).items()}
    wanted |= {
        name: share
        for name, share in ((REPEAT, campaign.repeat_share), (GOLD, campaign.gold_share))
        if share or given[name]
    }
    labels = {name: gettext(label) for name, label in lane_labels().items()} | {
        REPEAT: gettext("Hidden repeats"),
        GOLD: gettext("Gold photos"),
    }
    names = sorted({*wanted, *given}, key=lambda name: (-wanted.get(name, 0), name != RANDOM, name))
    return LaneMix(
        [
            LaneShare(
                name,
                labels.get(name, name),
                wanted.get(name, 0.0),
                wilson_interval(given[name], total),
                given[name],
            )
            for name in names
        ],
        total,
    )
