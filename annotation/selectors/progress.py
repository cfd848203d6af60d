"""How far a campaign has come, and why an annotator has no photo."""

from collections import Counter, defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from django.core.cache import cache
from django.db import connection
from django.db.models import (
    BooleanField,
    Count,
    Exists,
    ExpressionWrapper,
    F,
    IntegerField,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Sum,
)
from django.db.models.functions import Least
from django.utils import timezone

from annotation.answers import vote_sql
from annotation.models import QUEUED, Assignment, Campaign, Image, Membership, User
from annotation.selectors.votes import own_standing

LARGE = 20_000  # photos
PROGRESS_SECONDS = 10

# Whoever has a vote, found from the end of each person's history: the order keeps the planner from going through the
# votes of everybody. The other two have an index each.
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
    """How far a campaign has come with the photos that annotators are asked about, the same on every page.

    These are the rated photos without a problem. Practice, example and gold photos need no votes to be done, and
    nobody is asked any more about a photo with a problem: both are counted apart, and their votes not at all.
    """

    images: int = 0
    holdout_images: int = 0
    """Of `images`."""
    complete_images: int = 0
    """Of `images`: those with all the votes they need."""
    votes_given: int = 0
    """Votes that count towards `votes_wanted`: of one photo not more than it needs."""
    votes_wanted: int = 0
    surplus_votes: int = 0
    """Votes beyond what their photos need, on the same photos."""
    problem_images: int = 0
    """Rated photos with a problem."""
    special_images: int = 0
    """Practice, example and gold photos."""

    @property
    def all_images(self) -> int:
        """Return how many photos the campaign has, those outside the queue too."""
        return self.images + self.problem_images + self.special_images


@dataclass(frozen=True)
class Participation:
    """Who takes part in a campaign, and what they hold or passed on."""

    annotators: int
    """People with a vote."""
    leased: int
    """Photos that are with annotators now."""
    skipped: int
    """Skips, each photo once for each annotator."""


@dataclass(frozen=True)
class OwnProgress:
    """What one annotator has done in a campaign."""

    answers: int
    skips: int
    answers_last_hour: int


def campaign_progress(campaign: Campaign) -> Progress:
    """Return the progress of one campaign (one query, or none; see `campaigns_progress`)."""
    return campaigns_progress([campaign.pk])[campaign.pk]


def campaigns_progress(campaign_ids: Collection[int]) -> dict[int, Progress]:
    """Return {campaign id: progress} of all these campaigns (one query).

    The photos have to be gone through for it, and every open page asks now and then. So the figures of
    a campaign of more than `LARGE` photos may be up to `PROGRESS_SECONDS` old; smaller ones are counted
    each time.
    """
    keys = {pk: f"campaign-progress-{pk}" for pk in campaign_ids}
    cached: dict[str, Progress] = cache.get_many(keys.values())
    found = {pk: cached[key] for pk, key in keys.items() if key in cached}
    if missing := [pk for pk in keys if pk not in found]:
        counted = _progress_count(missing)
        found |= {pk: counted.get(pk, Progress()) for pk in missing}
        large = {keys[pk]: one for pk, one in counted.items() if one.all_images > LARGE}
        if large:
            cache.set_many(large, PROGRESS_SECONDS)
    return found


def _progress_count(campaign_ids: Collection[int]) -> dict[int, Progress]:
    """Return {campaign id: progress} of those of the campaigns that have photos (one query).

    The database groups the photos by what they are used for: a condition on each sum took a third longer.
    """
    rows = (
        Image.objects.filter(campaign__in=campaign_ids)
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
    """Return the sound practice photos from worst to best; those without an expected score come last."""
    photos = campaign.images.filter(role=Image.Role.PRACTICE, problem="")
    return photos.order_by(F("expected_score").asc(nulls_last=True), "pk")


def has_practised(campaign: Campaign, annotator: User) -> bool:
    """Return whether the annotator has been through the practice photos, or has no membership to note it on."""
    return not Membership.objects.filter(campaign=campaign, user=annotator, practised_at=None).exists()


def queue_status(campaign: Campaign, annotator: User) -> str:
    """Return '' when there is a photo for the annotator, else a sentence that says why there is none."""
    if campaign.state == Campaign.State.PAUSED:
        return "The campaign is paused. An admin can resume it."
    if campaign.state == Campaign.State.CLOSED:
        return "The campaign is closed. It accepts no more answers."
    if _waiting(campaign, annotator).exists():
        return ""
    sound = Image.objects.filter(QUEUED, campaign=campaign)
    if sound.filter(~_judged(campaign, annotator), open_slots__gt=0).exists():
        return ""
    if not campaign.images.filter(role=Image.Role.RATED).exists():
        return "There are no photos yet. An admin must import them first."
    return _why_nothing_is_open(campaign, annotator, sound)


def _waiting(campaign: Campaign, annotator: User) -> QuerySet[Assignment]:
    """Return the leases that the annotator holds, or let go and gets back whatever the others have done since."""
    is_mine_alone = Q(is_repeat=True) | Q(image__role=Image.Role.GOLD)
    let_go = Q(state__in=[Assignment.State.EXPIRED, Assignment.State.RETURNED])
    return Assignment.objects.filter(
        Q(state=Assignment.State.LEASED) | let_go & is_mine_alone,
        campaign=campaign,
        annotator=annotator,
        image__problem="",
        image__role__in=[Image.Role.RATED, Image.Role.GOLD],
    )


def _judged(campaign: Campaign, annotator: User, image: str = "pk") -> Exists:
    """Return a condition: the annotator has answered or skipped the photo."""
    return Exists(
        Assignment.objects.filter(
            campaign=campaign,
            annotator=annotator,
            image=OuterRef(image),
            state__in=[Assignment.State.DONE, Assignment.State.SKIPPED],
        )
    )


def _why_nothing_is_open(campaign: Campaign, annotator: User, sound: QuerySet[Image]) -> str:
    """Say it. A photo lacks votes where a slot is open or a live lease is to fill one; both have an index."""
    leased = Assignment.objects.filter(
        state=Assignment.State.LEASED, is_repeat=False, campaign=campaign, image__problem="", image__role="rated"
    ).filter(image__vote_count__lt=F("image__votes_needed"))
    if not sound.filter(open_slots__gt=0).exists() and not leased.exists():
        return "All done: every photo has the votes it needs. Thank you."
    until = leased.filter(~_judged(campaign, annotator, "image")).aggregate(first=Min("expires_at"))["first"]
    if until is None:
        return "You have rated every photo that still needs votes. The missing votes must come from other annotators."
    when = timezone.localtime(max(until, timezone.now()))
    return (
        f"All remaining photos are reserved for other annotators until {when:%H:%M} ({when.tzname()}). "
        "You get those that they do not answer by then."
    )
