"""How far a campaign has come, and why an annotator has no photo."""

from dataclasses import dataclass
from datetime import timedelta

from django.core.cache import cache
from django.db import connection
from django.db.models import Count, Exists, F, Min, OuterRef, Q, QuerySet, Sum
from django.utils import timezone

from annotation.models import QUEUED, Annotation, Assignment, Campaign, Image, Membership, User

LARGE = 20_000  # photos
PROGRESS_SECONDS = 10

# Whoever has a vote, as `Annotation.objects.votes()` defines it, found from the end of each person's history: the order
# keeps the planner from going through the votes of everybody. The other two have an index each.
_PEOPLE_AND_LEASES = """
SELECT
  (SELECT count(*) FROM annotation_user person WHERE (
     SELECT true FROM annotation_annotation answer
     WHERE answer.campaign_id = %(campaign)s AND answer.annotator_id = person.id
       AND answer.skip_reason = '' AND NOT answer.is_repeat
       AND NOT EXISTS (SELECT FROM annotation_annotation later WHERE later.supersedes_id = answer.id)
     ORDER BY answer.id DESC LIMIT 1)),
  (SELECT count(*) FROM annotation_assignment WHERE campaign_id = %(campaign)s AND state = 'leased'),
  (SELECT count(*) FROM annotation_assignment WHERE campaign_id = %(campaign)s AND state = 'skipped')
"""


@dataclass(frozen=True)
class Progress:
    """How far a campaign has come with its rated photos. Those with a problem count among `images` only."""

    images: int
    holdout_images: int
    complete_images: int
    votes_given: int
    votes_wanted: int
    annotators: int
    leased: int
    skipped: int


@dataclass(frozen=True)
class OwnProgress:
    """What one annotator has done in a campaign."""

    answers: int
    skips: int
    answers_last_hour: int


def campaign_progress(campaign: Campaign) -> Progress:
    """Count photos, votes, leases and skips of the campaign (two queries).

    The photos have to be gone through for it, and every open page asks now and then. So the figures of
    a campaign of more than `LARGE` photos may be up to `PROGRESS_SECONDS` old; smaller ones are counted
    each time.
    """
    key = f"campaign-progress-{campaign.pk}"
    progress: Progress | None = cache.get(key)
    if progress is None:
        progress = _progress_count(campaign)
        if progress.images > LARGE:
            cache.set(key, progress, PROGRESS_SECONDS)
    return progress


def _progress_count(campaign: Campaign) -> Progress:
    sound = QUEUED
    images = campaign.images.aggregate(
        images=Count("pk", filter=Q(role=Image.Role.RATED)),
        holdout_images=Count("pk", filter=Q(role=Image.Role.RATED, split=Image.Split.HOLDOUT)),
        complete_images=Count("pk", filter=sound & Q(vote_count__gte=F("votes_needed"))),
        votes_given=Sum("vote_count", filter=sound, default=0),
        votes_wanted=Sum("votes_needed", filter=sound, default=0),
    )
    with connection.cursor() as cursor:
        cursor.execute(_PEOPLE_AND_LEASES, {"campaign": campaign.pk})
        annotators, leased, skipped = cursor.fetchone()
    return Progress(**images, annotators=annotators, leased=leased, skipped=skipped)


def own_progress(campaign: Campaign, annotator: User) -> OwnProgress:
    """Count the annotator's standing answers and skips (one query)."""
    own = Annotation.objects.filter(campaign=campaign, annotator=annotator)
    # What stands, asked so that only the annotator's own rows are looked at, and not everybody's corrections.
    corrected = own.filter(supersedes__isnull=False).values("supersedes")
    answered = Q(skip_reason="")
    return OwnProgress(
        **own.filter(is_repeat=False)
        .exclude(pk__in=corrected)
        .aggregate(
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
        return "The campaign is paused; its admin can start it again."
    if campaign.state == Campaign.State.CLOSED:
        return "The campaign is closed: it takes no more answers."
    if _waiting(campaign, annotator).exists():
        return ""
    sound = Image.objects.filter(QUEUED, campaign=campaign)
    if sound.filter(~_judged(campaign, annotator), open_slots__gt=0).exists():
        return ""
    if not campaign.images.filter(role=Image.Role.RATED).exists():
        return "There are no photos yet; the campaign's admin imports them."
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
        return "You have judged every photo that still needs votes; the rest is up to the other annotators."
    when = timezone.localtime(max(until, timezone.now()))
    return (
        f"All remaining photos are with other annotators until {when:%H:%M} ({when.tzname()}); "
        "those they do not answer by then come to you."
    )
