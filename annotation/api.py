"""The API of the annotation app: leases, answers and the caller's progress."""

from datetime import datetime, timedelta
from typing import Annotated, Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from ninja import Field, Router, Schema
from ninja.errors import HttpError

from annotation.api_callers import annotating, sending
from annotation.api_schema import READ_PROBLEMS, WRITE_PROBLEMS, Id, Pair, Problem, Slug, StrictSchema, Uuid
from annotation.models import Annotation, Assignment, Campaign
from annotation.selectors.photos_left import photos_left
from annotation.selectors.progress import (
    QueueState,
    campaign_progress,
    has_practised,
    own_progress,
    practice_photos,
    queue_state,
)
from annotation.selectors.votes import own_client_ids
from annotation.services import annotations, members, queue

router = Router(tags=["annotation"])

MOST_LEASES = 20  # in one request
MOST_RECEIPTS = 500  # in one request
# A page holds up to 200 photos for work without a connection, and names the photos of unsent answers too.
ImageIds = Annotated[list[Id], Field(max_length=500)]


class ClaimIn(StrictSchema):
    """A request for photos."""

    count: int = Field(5, ge=1, le=MOST_LEASES)
    known: ImageIds = Field(
        [], description="Photos not to lease: the page holds them, or their answers have no receipt yet."
    )
    hold: int = Field(
        queue.LEASES_PER_ANNOTATOR,
        ge=queue.LEASES_PER_ANNOTATOR,
        le=queue.MOST_HELD,
        description="How many photos the caller wants to hold in all, for work without a connection. More than "
        f"{queue.LEASES_PER_ANNOTATOR} only up to half of the photos that are open.",
    )


class LeaseOut(Schema):
    """A photo to rate."""

    lease_id: int
    image_id: int
    url: str = Field(description="The photo: the original pixels, by default without metadata.")
    width: int = Field(description="Pixels.")
    height: int = Field(description="Pixels.")
    byte_size: int = Field(description="Size of the imported file. The photo that is sent may be a little smaller.")
    name: str
    expires_at: datetime
    show_prediction: bool = Field(description="Whether to show the prediction before the answer.")


class ClaimOut(Schema):
    """Leased photos, in the order in which to show them."""

    leases: list[LeaseOut]
    lease_seconds: int = Field(description="How long a lease lasts after a claim or renewal.")
    empty_because: str = Field(
        description="Why there are no photos, as a sentence. Empty when the caller should ask again soon."
    )
    empty_kind: str = Field(
        description="The same as one word: paused, closed, no_photos, all_done, problems, answered, reserved, or empty."
    )
    more_at: datetime | None = Field(description="When reserved photos may come back, or null.")


class ImagesIn(StrictSchema):
    """The photos of some leases."""

    image_ids: ImageIds


class RenewOut(Schema):
    """The number of renewed leases, and when they expire."""

    renewed: int
    expires_at: datetime
    lease_seconds: int = Field(description="How long a lease lasts after a claim or renewal.")


class ReturnOut(Schema):
    """The number of returned leases."""

    returned: int


class AnswerIn(StrictSchema):
    """A watch label and an opinion score, or the reason why the photo was skipped."""

    client_id: Uuid = Field(description="A UUID from the client. Sending it again records nothing new.")
    image_id: Id
    lease_id: Id | None = Field(
        None,
        description="The lease of the answer. Default: the photo's first lease to the caller.",
    )
    watch: str = ""
    score: int | None = None
    skip_reason: str = ""
    scale: Pair | None = Field(
        None,
        description="The lowest and the highest score that the person could choose. Refused when the campaign has "
        "another scale.",
    )
    milliseconds: int | None = Field(None, description="From showing the photo to the answer.")
    viewing: dict[str, Any] = Field({}, description="Viewport, pixel ratio, zoom, kind of input. At most 2 kB.")
    annotator_id: int | None = Field(
        None, description="Who gave the answer. Refused with 409 when somebody else is logged in."
    )


class ReceiptOut(Schema):
    """The answer is in the database."""

    client_id: Uuid
    annotation_id: int
    created: bool
    saved: bool = True


class ReceiptsIn(StrictSchema):
    """The client_ids of some answers and comments."""

    client_ids: Annotated[list[Uuid], Field(max_length=MOST_RECEIPTS)]


class ReceiptsOut(Schema):
    """The caller's answers in the database."""

    stored: list[Uuid] = Field(description="The ids of the caller's own answers and comments in this campaign.")
    own_answers: int
    own_skips: int


class ProgressOut(Schema):
    """The caller's own work and the progress of the campaign."""

    own_answers: int
    own_skips: int
    pace_per_hour: int = Field(description="Own answers in the last 60 minutes.")
    photos_left: int = Field(description="Photos that need votes and that the caller has not answered.")
    images: int
    complete_images: int
    votes_given: int
    votes_wanted: int


class PracticePhotoOut(Schema):
    """A practice photo with the expected answer."""

    image_id: int
    url: str = Field(description="The photo: the original pixels, by default without metadata.")
    width: int = Field(description="Pixels.")
    height: int = Field(description="Pixels.")
    name: str
    watch: str = Field(description="The expected watch label, or empty.")
    score: int | None = Field(description="The expected opinion score, or null.")
    guidance: str = Field(description="A sentence to show after the answer.")


class PracticeOut(Schema):
    """The practice photos, from worst to best, and whether the caller has finished the practice round."""

    photos: list[PracticePhotoOut]
    done: bool


class PracticeDoneOut(Schema):
    """The practice round is marked as finished."""

    done: bool = True


def _lease_out(lease: Assignment, mode: str) -> LeaseOut:
    image = lease.image
    return LeaseOut(
        lease_id=lease.pk,
        image_id=image.pk,
        url=reverse("photo-original", args=[image.pk]),
        width=image.width,
        height=image.height,
        byte_size=image.byte_size,
        name=image.name,
        expires_at=lease.expires_at,
        show_prediction=lease.is_anchored or mode == Campaign.Mode.PRELABEL,
    )


@router.post("/campaigns/{slug}/leases", response={200: ClaimOut, **WRITE_PROBLEMS}, url_name="leases-claim")
def leases_claim(request: HttpRequest, slug: Slug, claim: ClaimIn) -> ClaimOut:
    """Lease photos to the caller: first those that are already leased to them, then new ones."""
    campaign, user = annotating(request, slug)
    leases = queue.leases_claim(
        campaign=campaign, annotator=user, count=claim.count, known=claim.known, hold=claim.hold
    )
    state = QueueState() if leases else queue_state(campaign, user)
    return ClaimOut(
        leases=[_lease_out(lease, campaign.mode) for lease in leases],
        lease_seconds=campaign.lease_seconds,
        empty_because=state.sentence,
        empty_kind=state.kind,
        more_at=state.more_at,
    )


@router.post("/campaigns/{slug}/leases/renew", response={200: RenewOut, **WRITE_PROBLEMS}, url_name="leases-renew")
def leases_renew(request: HttpRequest, slug: Slug, images: ImagesIn) -> RenewOut:
    """Renew leases. The page sends this while somebody uses it."""
    campaign, user = annotating(request, slug)
    renewed = queue.leases_renew(campaign=campaign, annotator=user, image_ids=images.image_ids)
    expires_at = timezone.now() + timedelta(seconds=campaign.lease_seconds)
    return RenewOut(renewed=renewed, expires_at=expires_at, lease_seconds=campaign.lease_seconds)


@router.post("/campaigns/{slug}/leases/return", response={200: ReturnOut, **WRITE_PROBLEMS}, url_name="leases-return")
def leases_return(request: HttpRequest, slug: Slug, images: ImagesIn) -> ReturnOut:
    """Return photos that the caller will not rate now."""
    campaign, user = annotating(request, slug)
    return ReturnOut(returned=queue.leases_return(campaign=campaign, annotator=user, image_ids=images.image_ids))


@router.post(
    "/campaigns/{slug}/annotations",
    response={200: ReceiptOut, 409: Problem, **WRITE_PROBLEMS},
    url_name="annotation-record",
)
def annotation_record(request: HttpRequest, slug: Slug, answer: AnswerIn) -> ReceiptOut:
    """Record an answer or a skip. Sending the same client_id again gives the same receipt.

    People who are no longer members can still answer photos that they got in the last days.
    """
    campaign, user = sending(request, slug, answer.image_id)
    if answer.annotator_id not in (None, user.pk):
        raise HttpError(
            409,
            gettext("Somebody else gave this answer. You are logged in as %(username)s.") % {"username": user.username},
        )
    try:
        receipt = annotations.annotation_record(
            campaign=campaign, annotator=user, **answer.model_dump(exclude={"annotator_id"})
        )
    except annotations.AnnotationError as error:
        raise HttpError(422, str(error)) from None
    annotation: Annotation = receipt.annotation
    return ReceiptOut(client_id=annotation.client_id, annotation_id=annotation.pk, created=receipt.created)


@router.post("/campaigns/{slug}/receipts", response={200: ReceiptsOut, **WRITE_PROBLEMS}, url_name="receipts")
def receipts(request: HttpRequest, slug: Slug, asked: ReceiptsIn) -> ReceiptsOut:
    """Return which of these answers and comments are stored. Only the caller's own are confirmed.

    Also for people who are no longer members of the campaign.
    """
    campaign, user = sending(request, slug)
    own = own_progress(campaign, user)
    return ReceiptsOut(
        stored=own_client_ids(campaign, user, asked.client_ids), own_answers=own.answers, own_skips=own.skips
    )


@router.get("/campaigns/{slug}/progress", response={200: ProgressOut, **READ_PROBLEMS}, url_name="progress")
def progress(request: HttpRequest, slug: Slug) -> ProgressOut:
    """Return the caller's number of answers and pace, and the progress of the campaign."""
    campaign, user = annotating(request, slug)
    own, whole = own_progress(campaign, user), campaign_progress(campaign)
    return ProgressOut(
        own_answers=own.answers,
        own_skips=own.skips,
        pace_per_hour=own.answers_last_hour,
        photos_left=photos_left(user, {campaign.pk: whole})[campaign.pk],
        images=whole.images,
        complete_images=whole.complete_images,
        votes_given=whole.votes_given,
        votes_wanted=whole.votes_wanted,
    )


@router.get("/campaigns/{slug}/practice", response={200: PracticeOut, **READ_PROBLEMS}, url_name="practice")
def practice_get(request: HttpRequest, slug: Slug) -> PracticeOut:
    """List the practice photos. The answers to them are not sent to the server."""
    campaign, user = annotating(request, slug)
    photos = [
        PracticePhotoOut(
            image_id=image.pk,
            url=reverse("photo-original", args=[image.pk]),
            width=image.width,
            height=image.height,
            name=image.name,
            watch=image.expected_watch,
            score=image.expected_score,
            guidance=image.guidance,
        )
        for image in practice_photos(campaign)
    ]
    return PracticeOut(photos=photos, done=has_practised(campaign, user))


@router.post(
    "/campaigns/{slug}/practice/done", response={200: PracticeDoneOut, **WRITE_PROBLEMS}, url_name="practice-done"
)
def practice_done(request: HttpRequest, slug: Slug) -> PracticeDoneOut:
    """Mark the practice round as finished for the caller."""
    campaign, user = annotating(request, slug)
    members.practice_finish(campaign=campaign, annotator=user)
    return PracticeDoneOut()
