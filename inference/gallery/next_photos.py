"""The photos that people will probably be asked about next, and why. Reads the queue and changes nothing."""

import random
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.utils.translation import gettext

from annotation.models import LIVE, Campaign, Image
from annotation.selectors.first_of_lanes import IS_OPEN, NOBODY, LaneHead, first_of_lanes
from annotation.selectors.progress import DecidedPhotos, decided_in_queue
from annotation.services.lane_registry import RANDOM, lane_labels, lane_reason, lane_shares_known
from inference.acquisition.next_order import chance_at_random, chance_within, lanes_in_turn
from inference.acquisition.reasons import CHAMPION_UNSURE, PhotoFacts, percent_words, reason_text, start_text
from inference.acquisition.registry import STRATEGIES
from inference.gallery.places import Hidden
from inference.models import ModelVersion, Prediction

#: How many photos the page shows.
NEXT = 20
#: Open photos are counted up to this number: the chance of one of more is below a thousandth anyway.
_COUNTED = 10_000

# The first open photo at or after each of some positions, continuing from the start, by the index image_open.
_PROBES = f"""
SELECT found.id, (SELECT count(*) FROM (SELECT FROM annotation_image image WHERE {IS_OPEN} LIMIT {_COUNTED}) few)
FROM unnest(%(places)s::float8[]) WITH ORDINALITY AS probe (at, number) CROSS JOIN LATERAL (
  (SELECT image.id FROM annotation_image image WHERE {IS_OPEN} AND image.queue_position >= probe.at
   ORDER BY image.queue_position LIMIT 1)
  UNION ALL
  (SELECT image.id FROM annotation_image image WHERE {IS_OPEN} AND image.queue_position < probe.at
   ORDER BY image.queue_position LIMIT 1)
  LIMIT 1
) found ORDER BY probe.number
"""  # noqa: S608  # made of constants


@dataclass(frozen=True)
class NextPhoto:
    """A photo that probably comes soon."""

    image: Image
    lane: str
    label: str
    reason: str
    """Completes 'Asked because …'."""
    chance: float
    """Probability that one of the next `NEXT` new photos of a person who has rated none is this one, 0 … 1."""
    facts: PhotoFacts

    @property
    def watch_text(self) -> str:
        """Return the champion's watch probability in whole percent; '' if it is unknown, hidden or in the reason."""
        said = self.facts.watch_probability
        return "" if said is None or percent_words(said) in self.reason else percent_words(said)

    @property
    def chance_text(self) -> str:
        """Return the chance in whole percent: '7 %', 'under 1 %', 'over 99 %'."""
        return percent_words(self.chance)


@dataclass(frozen=True)
class NextPhotos:
    """The likely next photos, in order."""

    photos: list[NextPhoto]
    lanes: list[tuple[str, str, float, int]]
    """(name, label, share, photos among these) of each lane with a share."""
    waiting: list[str]
    """Labels of lanes with a share but without photos: workers have not written them, or none is left."""
    decided: DecidedPhotos
    """What the model has decided among the photos that lack votes."""

    @property
    def is_random_only(self) -> bool:
        """Return whether the queue chooses nothing."""
        return [name for name, *_ in self.lanes] == [RANDOM]


def next_photos(
    campaign: Campaign, version: ModelVersion | None, hidden: Hidden, threshold: float, *, count: int = NEXT
) -> NextPhotos:
    """Return the next photos of the queue for somebody who has rated none (six queries at most).

    version: whose predictions are shown, None for none; hidden: photos whose predictions are not shown; threshold: of
    the watch.
    """
    shares = lane_shares_known(campaign.lane_shares)
    drawn, is_open, missing = _draw(campaign, shares, count)
    images = Image.objects.filter(LIVE, campaign=campaign).in_bulk([one.image_id for one in drawn])
    predictions: dict[int, Any] = {}
    if version is not None:
        rows = Prediction.objects.filter(model_version=version, image__in=images)
        predictions = {row.image_id: row for row in rows.only("image", "watch_probability", "quality_mean")}
    unseen = {row["image_id"] for row in hidden.filter(image__in=images)}
    labels = {name: gettext(label) for name, label in lane_labels().items()}
    places: dict[str, int] = {}
    # Where a lane has no photo, a random one comes.
    at_random = chance_at_random(count, shares.get(RANDOM, 0.0) + sum(shares[name] for name in missing), is_open or 1)
    found = []
    for head in drawn:
        lane, image_id = head.lane, head.image_id
        if (image := images.get(image_id)) is None:
            continue
        places[lane] = places.get(lane, 0) + 1
        facts = _facts(image, predictions.get(image_id), threshold, is_hidden=image_id in unseen)
        chance = at_random
        if lane != RANDOM:
            chance = 1 - (1 - at_random) * (1 - chance_within(count, shares[lane], places[lane]))
        stored = lane_reason(
            lane,
            votes=image.vote_count,
            votes_needed=image.votes_needed,
            priority=head.priority,
            stored=head.reason,
        )
        reason = _reason(head, facts, stored)
        found.append(NextPhoto(image, lane, labels[lane], reason, chance, facts))
    return NextPhotos(
        photos=found,
        lanes=[(name, labels[name], share, places.get(name, 0)) for name, share in shares.items()],
        waiting=[labels[name] for name in missing],
        decided=decided_in_queue(campaign),
    )


def next_ids(campaign: Campaign, *, count: int = NEXT) -> list[int]:
    """Return the ids of the next photos (two queries at most)."""
    return [one.image_id for one in _draw(campaign, lane_shares_known(campaign.lane_shares), count)[0]]


def _draw(campaign: Campaign, shares: dict[str, float], count: int) -> tuple[list[LaneHead], int, list[str]]:
    """Return the next photos, the number of open photos, and the lanes without one (two queries at most)."""
    lanes = [name for name in shares if name != RANDOM]
    heads: dict[str, list[LaneHead]] = {name: [] for name in lanes}
    # A photo may be in the heads of several lanes, so each needs more than it hands out.
    most = count * (len(lanes) + 1)
    # The same places until the queue changes, so that the page does not change at every look.
    rng = random.Random(campaign.seed)  # noqa: S311  # shows a possible draw
    places = [rng.random() for _ in range(3 * count)]
    with connection.cursor() as cursor:
        if lanes:
            heads |= first_of_lanes(cursor, campaign, lanes, count=most, rows=10 * most)
        parameters: dict[str, Any] = {"campaign": campaign.pk, "annotator": NOBODY, "taken": [], "places": places}
        cursor.execute(_PROBES, parameters)
        probes = cursor.fetchall()
    is_open = probes[0][1] if probes else 0
    heads[RANDOM] = [LaneHead(RANDOM, image_id) for image_id in dict.fromkeys(row[0] for row in probes)]
    missing = [name for name in lanes if not heads[name]]
    turns = lanes_in_turn(shares, {name: len(rows) for name, rows in heads.items()}, 3 * count, rest=RANDOM)
    drawn: list[LaneHead] = []
    taken: set[int] = set()
    for lane in turns:
        while heads[lane]:
            head = heads[lane].pop(0)
            if head.image_id not in taken:
                taken.add(head.image_id)
                drawn.append(head)
                break
    return drawn[:count], is_open, missing


def _reason(head: LaneHead, facts: PhotoFacts, stored: str) -> str:
    """Return why the lane chose the photo. A lane that cannot choose in its own way yet has stored another reason."""
    start = start_text(head.reason, facts, fewest=STRATEGIES["fewest_votes"].reason)
    if start is not None:
        return start
    if head.reason == CHAMPION_UNSURE and not facts.is_hidden:
        return gettext(CHAMPION_UNSURE)
    return stored if head.reason and head.reason != CHAMPION_UNSURE else reason_text(head.lane, facts, stored=stored)


def _facts(image: Image, prediction: Any, threshold: float, *, is_hidden: bool) -> PhotoFacts:
    shown = None if is_hidden else prediction
    return PhotoFacts(
        votes=image.vote_count,
        votes_needed=image.votes_needed,
        watch_probability=None if shown is None else shown.watch_probability,
        watch_threshold=None if shown is None else threshold,
        quality_mean=None if shown is None else shown.quality_mean,
        is_hidden=is_hidden,
    )
