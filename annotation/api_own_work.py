"""The API of the caller's own work: the last answers, comments on photos, and where photos are left."""

from datetime import datetime
from typing import Annotated, cast

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext
from ninja import Field, Query, Router, Schema
from ninja.errors import HttpError

from annotation.api_callers import annotating, sending
from annotation.api_schema import READ_PROBLEMS, WRITE_PROBLEMS, Id, Problem, Slug, StrictSchema, Uuid
from annotation.models import Campaign, User
from annotation.selectors.own_history import last_answers
from annotation.selectors.photos_left import photos_left
from annotation.selectors.progress import campaigns_progress, queue_state
from annotation.services.comments import COMMENT_LENGTH, CommentError, comment_record

router = Router(tags=["own work"])

MOST_ANSWERS = 10
MOST_CAMPAIGNS = 20


class OwnAnswerOut(Schema):
    """An answer of the caller that can be given again."""

    image_id: int
    url: str = Field(description="The photo: the original pixels, by default without metadata.")
    thumbnail: str = Field(description="A small picture of the photo.")
    width: int = Field(description="Pixels.")
    height: int = Field(description="Pixels.")
    name: str
    watch: str = Field(description="The watch label, or empty after a skip.")
    score: int | None = Field(description="The opinion score, or null after a skip.")
    skip_reason: str
    given_at: datetime


class OwnAnswersOut(Schema):
    """The caller's last answers and skips, newest first."""

    answers: list[OwnAnswerOut]


class CommentIn(StrictSchema):
    """A comment for the admins of the campaign."""

    client_id: Uuid = Field(description="A UUID from the client. Sending it again stores nothing new.")
    image_id: Id
    text: Annotated[str, Field(min_length=1, max_length=COMMENT_LENGTH)]
    annotator_id: int | None = Field(
        None, description="Who wrote the comment. Refused with 409 when somebody else is logged in."
    )


class CommentOut(Schema):
    """The comment is in the database."""

    client_id: Uuid
    comment_id: int
    created: bool


class CampaignWorkOut(Schema):
    """A campaign with photos for the caller."""

    slug: str
    name: str
    url: str = Field(description="The annotate page.")
    photos_left: int = Field(description="Photos that need votes and that the caller has not answered.")


class WorkOut(Schema):
    """The campaigns with photos for the caller, most photos first."""

    campaigns: list[CampaignWorkOut]


@router.get("/campaigns/{slug}/answers", response={200: OwnAnswersOut, **READ_PROBLEMS}, url_name="own-answers")
def own_answers(
    request: HttpRequest, slug: Slug, count: Annotated[int, Query(ge=1, le=MOST_ANSWERS)] = MOST_ANSWERS
) -> OwnAnswersOut:
    """List the caller's last answers and skips that can be given again, without those to hidden repeats."""
    campaign, user = annotating(request, slug)
    answers = [
        OwnAnswerOut(
            image_id=answer.image_id,
            url=reverse("photo-original", args=[answer.image_id]),
            thumbnail=reverse("photo-thumbnail", args=[answer.image_id]),
            width=answer.image.width,
            height=answer.image.height,
            name=answer.image.name,
            watch=answer.watch,
            score=answer.score,
            skip_reason=answer.skip_reason,
            given_at=answer.created_at,
        )
        for answer in last_answers(campaign, user, count=count)
    ]
    return OwnAnswersOut(answers=answers)


@router.post(
    "/campaigns/{slug}/comments", response={200: CommentOut, 409: Problem, **WRITE_PROBLEMS}, url_name="comment-record"
)
def comment_post(request: HttpRequest, slug: Slug, comment: CommentIn) -> CommentOut:
    """Store a comment on a photo. Sending the same client_id again gives the same receipt.

    People who are no longer members can still comment on photos that they had.
    """
    campaign, user = sending(request, slug, comment.image_id)
    if comment.annotator_id not in (None, user.pk):
        raise HttpError(
            409,
            gettext("Somebody else wrote this comment. You are logged in as %(username)s.")
            % {"username": user.username},
        )
    try:
        receipt = comment_record(
            campaign=campaign,
            author=user,
            image_id=comment.image_id,
            client_id=comment.client_id,
            text=comment.text,
        )
    except CommentError as error:
        raise HttpError(422, str(error)) from None
    return CommentOut(client_id=receipt.comment.client_id, comment_id=receipt.comment.pk, created=receipt.created)


@router.get("/me/work", response={200: WorkOut, **READ_PROBLEMS}, url_name="me-work")
def work(request: HttpRequest) -> WorkOut:
    """List the caller's campaigns that have a photo for the caller now."""
    user = cast(User, request.user)  # the authentication requires a login
    active = Campaign.objects.filter(memberships__user=user, state=Campaign.State.ACTIVE).order_by("-pk")
    chosen = list(active[:MOST_CAMPAIGNS])
    left = photos_left(user, campaigns_progress([campaign.pk for campaign in chosen]))
    # Asked only where photos are left: all of them may be with other people now.
    campaigns = [campaign for campaign in chosen if left[campaign.pk] and not queue_state(campaign, user).kind]
    rows = [
        CampaignWorkOut(
            slug=campaign.slug,
            name=campaign.name,
            url=reverse("annotate", args=[campaign.slug]),
            photos_left=left[campaign.pk],
        )
        for campaign in campaigns
    ]
    return WorkOut(campaigns=sorted(rows, key=lambda row: -row.photos_left))
