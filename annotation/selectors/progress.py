"""Progress of a campaign, and why there is no photo for an annotator."""

from collections import Counter, defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.cache import cache
from django.db import connection
from django.db.models import (
    BooleanField,
    Count,
    Exists,
    ExpressionWrapper,
    F,
    IntegerField,
    Max,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Sum,
)
from django.db.models.functions import Least
from django.utils import timezone
from django.utils.translation import gettext, ngettext

from annotation.answers import vote_sql
from annotation.measures.figures_text import figures_read
from annotation.models import LIVE, QUEUED, Assignment, Campaign, Image, Membership, StoredCount, User
from annotation.selectors.votes import own_standing

LARGE = 20_000  # photos
PROGRESS_SECONDS = 10
#: The name of the progress among the counts that workers store.
STORED_NAME = "progress"
#: A stored progress that is older is not used, because no worker seems to run.
_OLDEST = timedelta(minutes=10)

# The first number counts the people with a vote. ORDER BY makes the planner search from the end of each person's
# history instead of reading all votes. The other two numbers have an index each.
_PARTICIPATION = f"""
SELECT
  (SELECT count(*) FROM annotation_user person WHERE (
     SELECT true FROM annotation_annotation answer
     WHERE answer.campaign_id = %(campaign)s AND answer.annotator_id = person.id
       AND {vote_sql("answer")}
     ORDER BY answer.id DESC LIMIT 1)),
  (SELECT count(*) FROM annotation_assignment WHERE campaign_id = %(campaign)s AND state = 'leased'),
  (SELECT count(*) FROM annotation_assignment WHERE campaign_id = %(campaign)s AND state = 'skipped')
"""  # noqa: S608  # made of constants


@dataclass(frozen=True)
class Progress:
    """Progress of a campaign: its rated photos without a problem and their votes. The same on every page.

    Practice, example and gold photos need no votes, and photos with a problem are out of the queue: both are counted
    separately, and their votes are not counted. Withdrawn photos are not counted at all.
    """

    images: int = 0
    holdout_images: int = 0
    """Of `images`."""
    complete_images: int = 0
    """Of `images`: photos with all the votes that they need."""
    votes_given: int = 0
    """Votes that count towards `votes_wanted`: for each photo at most the number that it needs."""
    votes_wanted: int = 0
    surplus_votes: int = 0
    """Votes on the same photos beyond the number that they need."""
    problem_images: int = 0
    """Rated photos with a problem."""
    special_images: int = 0
    """Practice, example and gold photos."""

    @property
    def all_images(self) -> int:
        """Return how many photos the campaign has, including photos outside the queue."""
        return self.images + self.problem_images + self.special_images


@dataclass(frozen=True)
class Participation:
    """Number of annotators in a campaign, and of their leases and skips."""

    annotators: int
    """People with a vote."""
    leased: int
    """Live leases."""
    skipped: int
    """Skips, once for each photo and annotator."""


@dataclass(frozen=True)
class DecidedPhotos:
    """Photos that lack votes and that a model has decided. Only the lane random still gives them to people."""

    photos: int
    votes: int
    """The votes that they lack, which people need not give."""


@dataclass(frozen=True)
class OwnProgress:
    """What one annotator has done in a campaign."""

    answers: int
    skips: int
    answers_last_hour: int


@dataclass(frozen=True)
class QueueState:
    """Whether there is a photo for an annotator, and if not, why."""

    kind: str = ""
    """Empty while there are photos; otherwise paused, closed, no_photos, all_done, problems, answered or reserved."""
    sentence: str = ""
    more_at: datetime | None = None
    """When the first photo of another annotator may come back; only for `reserved`."""


def campaign_progress(campaign: Campaign) -> Progress:
    """Return the progress of one campaign (one query, or none; see `campaigns_progress`)."""
    return campaigns_progress([campaign.pk])[campaign.pk]


def campaigns_progress(campaign_ids: Collection[int]) -> dict[int, Progress]:
    """Return {campaign id: progress} of these campaigns (two queries).

    A count reads all photos, and every open page asks regularly. So workers count large campaigns every half minute
    (`annotation.services.counts.progress_ask`). A page counts the others, and all while no worker runs. The progress of
    a campaign with more than `LARGE` photos is cached for `PROGRESS_SECONDS`.
    """
    keys = {pk: f"campaign-progress-{pk}" for pk in campaign_ids}
    cached: dict[str, Progress] = cache.get_many(keys.values())
    found = {pk: cached[key] for pk, key in keys.items() if key in cached}
    if missing := [pk for pk in keys if pk not in found]:
        counted = _progress_stored(missing)
        if uncounted := [pk for pk in missing if pk not in counted]:
            counted |= progress_count(uncounted)
        found |= {pk: counted.get(pk, Progress()) for pk in missing}
        large = {keys[pk]: one for pk, one in counted.items() if one.all_images > LARGE}
        if large:
            cache.set_many(large, PROGRESS_SECONDS)
    return found


def _progress_stored(campaign_ids: Collection[int]) -> dict[int, Progress]:
    """Return {campaign id: progress} where a worker has counted it lately (one query)."""
    since = timezone.now() - _OLDEST
    rows = StoredCount.objects.filter(campaign__in=campaign_ids, name=STORED_NAME, made_at__gt=since)
    read = {pk: figures_read(Progress, value) for pk, value in rows.values_list("campaign_id", "value")}
    return {pk: one for pk, one in read.items() if one is not None}


def progress_count(campaign_ids: Collection[int]) -> dict[int, Progress]:
    """Return {campaign id: progress} of the campaigns that have photos (one query).

    The query groups photos by role, which is faster: a condition on each sum took a third longer.
    """
    rows = (
        Image.objects.filter(LIVE, campaign__in=campaign_ids)
        .order_by()
        .annotate(queued=ExpressionWrapper(QUEUED, output_field=BooleanField()))
        .values("campaign_id", "queued", "role")
        .annotate(
            images=Count("pk"),
            holdout_images=Count("pk", filter=Q(split=Image.Split.HOLDOUT)),
            complete_images=Count("pk", filter=Q(vote_count__gte=F("votes_needed"))),
            votes=Sum("vote_count"),
            votes_given=Sum(Least("vote_count", "votes_needed", output_field=IntegerField())),
            votes_wanted=Sum("votes_needed"),
        )
    )
    counts: dict[int, Counter[str]] = defaultdict(Counter)
    for row in rows:
        count = counts[row["campaign_id"]]
        if row["queued"]:
            for name in ("images", "holdout_images", "complete_images", "votes_given", "votes_wanted"):
                count[name] = row[name]
            count["surplus_votes"] = row["votes"] - row["votes_given"]
        elif row["role"] == Image.Role.RATED:
            count["problem_images"] += row["images"]
        else:
            count["special_images"] += row["images"]
    return {pk: Progress(**count) for pk, count in counts.items()}


def campaign_participation(campaign: Campaign) -> Participation:
    """Count annotators, leases and skips of the campaign (one query)."""
    with connection.cursor() as cursor:
        cursor.execute(_PARTICIPATION, {"campaign": campaign.pk})
        annotators, leased, skipped = cursor.fetchone()
    return Participation(annotators=annotators, leased=leased, skipped=skipped)


def decided_in_queue(campaign: Campaign) -> DecidedPhotos:
    """Return what a model has decided among the photos that lack votes, at the last refresh (one query)."""
    found = campaign.queue_lanes.aggregate(photos=Max("decided_photos"), votes=Max("decided_votes"))
    return DecidedPhotos(found["photos"] or 0, found["votes"] or 0)


def own_progress(campaign: Campaign, annotator: User) -> OwnProgress:
    """Count the annotator's votes and standing skips (one query)."""
    answered = Q(skip_reason="")
    return OwnProgress(
        **own_standing(campaign, annotator).aggregate(
            answers=Count("pk", filter=answered),
            skips=Count("pk", filter=~answered),
            answers_last_hour=Count("pk", filter=answered & Q(created_at__gte=timezone.now() - timedelta(hours=1))),
        )
    )


def practice_photos(campaign: Campaign) -> QuerySet[Image]:
    """Return the practice photos without a problem from worst to best. Photos without an expected score come last."""
    photos = campaign.images.filter(role=Image.Role.PRACTICE, problem="")
    return photos.order_by(F("expected_score").asc(nulls_last=True), "pk")


def has_practised(campaign: Campaign, annotator: User) -> bool:
    """Return whether the annotator has finished the practice photos. True without a membership to store it in."""
    return not Membership.objects.filter(campaign=campaign, user=annotator, practised_at=None).exists()


def queue_status(campaign: Campaign, annotator: User) -> str:
    """Return why there is no photo for the annotator, as a sentence, or '' when there is one."""
    return queue_state(campaign, annotator).sentence


def queue_state(campaign: Campaign, annotator: User) -> QueueState:
    """Return whether there is a photo for the annotator, and if not, why."""
    if campaign.state == Campaign.State.PAUSED:
        return QueueState("paused", gettext("The campaign is paused. Its admin can resume it."))
    if campaign.state == Campaign.State.CLOSED:
        return QueueState("closed", gettext("The campaign is closed and accepts no more answers."))
    if _own_leases(campaign, annotator).exists():
        return QueueState()
    queued = Image.objects.filter(QUEUED, campaign=campaign)
    if _has_open(queued.filter(~_answered(campaign, annotator))):
        return QueueState()
    if not campaign.images.filter(role=Image.Role.RATED).exists():
        return QueueState("no_photos", gettext("There are no photos yet. The campaign's admin can import them."))
    return _why_nothing_is_open(campaign, annotator, queued)


def _has_open(queued: QuerySet[Image]) -> bool:
    """Return whether one of these photos has an open slot.

    In the order of the queue, so that the database reads the index of open photos. Without an order it looks for any
    photo in the table, and where the rated photos lie together that was all of a million.
    """
    return queued.filter(open_slots__gt=0).order_by("queue_position").values("pk").first() is not None


def _own_leases(campaign: Campaign, annotator: User) -> QuerySet[Assignment]:
    """Return the annotator's live leases, and ended leases that come back anyway (repeats and gold photos)."""
    needs_no_slot = Q(is_repeat=True) | Q(image__role=Image.Role.GOLD)
    ended = [Assignment.State.EXPIRED, Assignment.State.RETURNED]
    return Assignment.objects.filter(
        Q(state=Assignment.State.LEASED) | Q(state__in=ended) & needs_no_slot,
        # It follows from the line above, and is the condition of a small index that the database does not see there.
        state__in=[Assignment.State.LEASED, *ended],
        campaign=campaign,
        annotator=annotator,
        image__problem="",
        image__role__in=[Image.Role.RATED, Image.Role.GOLD],
    )


def _answered(campaign: Campaign, annotator: User, image: str = "pk") -> Exists:
    """Return a condition: the annotator has answered or skipped the photo."""
    return Exists(
        Assignment.objects.filter(
            campaign=campaign,
            annotator=annotator,
            image=OuterRef(image),
            state__in=[Assignment.State.DONE, Assignment.State.SKIPPED],
        )
    )


def _why_nothing_is_open(campaign: Campaign, annotator: User, queued: QuerySet[Image]) -> QueueState:
    """Return the reason. A photo needs votes if a slot is open or a lease is live; both have an index."""
    leased = Assignment.objects.filter(
        state=Assignment.State.LEASED, is_repeat=False, campaign=campaign, image__problem="", image__role="rated"
    ).filter(image__vote_count__lt=F("image__votes_needed"))
    if not _has_open(queued) and not leased.exists():
        lacking = campaign.images.filter(LIVE, role=Image.Role.RATED, vote_count__lt=F("votes_needed"))
        if count := lacking.exclude(problem="").count():
            return QueueState(
                "problems",
                ngettext(
                    "No photo is left to rate. %(n)s photo lacks votes but cannot be shown, for example "
                    "because its file "
                    "is missing. The campaign's admin finds the reason under 'Practice and check photos'.",
                    "No photo is left to rate. %(n)s photos lack votes but cannot be shown, for example because their "
                    "files are missing. The campaign's admin finds the reason under 'Practice and check photos'.",
                    count,
                )
                % {"n": f"{count:,}"},
            )
        return QueueState("all_done", gettext("All done: every photo has the votes it needs. Thank you."))
    until = leased.filter(~_answered(campaign, annotator, "image")).aggregate(first=Min("expires_at"))["first"]
    if until is None:
        return QueueState(
            "answered",
            gettext("You have answered every photo that still needs votes. Other annotators will do the rest."),
        )
    until = max(until, timezone.now())
    when = timezone.localtime(until)
    return QueueState(
        "reserved",
        gettext(
            "All remaining photos are reserved for other annotators until %(when)s (%(tzname)s). You will get "
            "those that they do not answer by then."
        )
        % {"when": f"{when:%H:%M}", "tzname": when.tzname()},
        until,
    )
