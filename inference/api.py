"""API endpoints for predictions: scoring of uploaded photos, and the reveal after an answer."""

from collections.abc import Sequence
from typing import Annotated

from django.http import HttpRequest, HttpResponse
from ninja import Field, File, Router, Schema, Status, UploadedFile
from ninja.errors import HttpError

from annotation.access.permissions import campaign_for
from annotation.api_schema import READ_PROBLEMS, WRITE_PROBLEMS, Id, Problem, Slug
from annotation.drawing.columns import Series, columns
from annotation.measures.opinion import mos, score_histogram
from annotation.models import LIVE, Annotation, Assignment, Campaign, Image, Role, User
from annotation.selectors.screening import excluded_annotators
from annotation.services.annotations import prediction_shown
from annotation.tasks import announce
from inference.models import Prediction
from inference.services.personal_lines import own_expectation
from inference.services.scoring_jobs import scoring_job_create, scoring_job_find
from inference.services.scoring_quota import ScoringLimitReached, ScoringRefused
from inference.services.scoring_waits import scoring_job_wait
from inference.tasks import scoring_job_run

router = Router(tags=["inference"])


class PredictionOut(Schema):
    """The champion's prediction for a photo."""

    model_version: int
    quality_mean: float
    quality_std: float
    distribution: list[float]
    watch_probability: float


class OthersOut(Schema):
    """The votes of the other annotators."""

    n: int
    simulated: int
    """How many of the votes come from simulated annotators."""
    mean: float
    histogram: list[int]


class RevealOut(Schema):
    """The prediction and the others' votes; each is None if there is none or the user may not see it."""

    prediction: PredictionOut | None
    others: OthersOut | None
    unusual: int | None = Field(
        None,
        description="The caller's own score, if it is so far from what the caller usually gives to such photos that it "
        "may be a slip. Always null before the answer.",
    )
    drawing: str = Field(
        "",
        description="Both distributions as one SVG element: filled columns for the others' votes, outlined ones for "
        "the model. Each is scaled to its own maximum. Empty without data and on scales of more than 20 scores.",
    )


class ScoreOut(Schema):
    """The state of a scoring job, with the results so far."""

    ticket: str = Field(description="The key of the scoring job.")
    waiting: int = Field(description="Number of photos without a result; 0 means that all rows are there.")
    rows: list[dict[str, str | float | bool | None]] = Field(
        description="One row per scored photo, with the columns of `manage.py score --parts` on the scale 1-10."
    )
    detail: str = Field("", description="A message if it takes long.")


Ticket = Annotated[str, Field(max_length=100)]

WAIT_SECONDS = 5.0
# The reveal's drawing, in pixels. With more columns, the text beside it would not fit on a phone.
_DRAWING_HEIGHT, _COLUMN_WIDTH, _BINS_DRAWN = 24, 8, 20


_LIMIT_HEADER = {
    "responses": {
        429: {
            "headers": {"Retry-After": {"description": "Seconds until the next hour.", "schema": {"type": "integer"}}}
        }
    }
}


@router.post("/score", response={200: ScoreOut, 202: ScoreOut, **WRITE_PROBLEMS}, openapi_extra=_LIMIT_HEADER)
def score(
    request: HttpRequest, response: HttpResponse, files: File[list[UploadedFile]]
) -> Status[ScoreOut] | Status[Problem]:
    """Score photos (multipart, field `files`, at most 20): 200 with all rows, or after five seconds 202 with a ticket.

    Photos are not kept. The rows are available for 15 minutes. 429 when you have sent as many photos as one hour
    allows; the header `Retry-After` has the seconds until the next hour.
    """
    user = request.user
    assert isinstance(user, User)  # the session's authentication turns anonymous visitors away
    try:
        ticket = scoring_job_create(user=user, uploads=files)
    except ScoringLimitReached as reached:
        response["Retry-After"] = str(reached.retry_after)
        return Status(429, Problem(detail=str(reached)))
    except ScoringRefused as refused:
        raise HttpError(422, str(refused)) from refused
    announce(scoring_job_run, user.pk, ticket)
    scoring_job_wait(user=user, key=ticket, seconds=WAIT_SECONDS)
    return _score_answer(user, ticket)


@router.get("/score/{ticket}", response={200: ScoreOut, 202: ScoreOut, **READ_PROBLEMS})
def score_ticket(request: HttpRequest, ticket: Ticket) -> Status[ScoreOut]:
    """Return the rows of a scoring job: 200 if it is finished, else 202."""
    user = request.user
    assert isinstance(user, User)
    return _score_answer(user, ticket)


def _score_answer(user: User, ticket: Ticket) -> Status[ScoreOut]:
    job = scoring_job_find(user=user, key=ticket)
    if job is None:
        raise HttpError(404, "You have no scoring job with this ticket. Rows are deleted after 15 minutes.")
    rows = [file.cells for file in job.files if file.cells is not None]
    late = "No worker has taken the photos yet. Is a worker running?" if job.is_late else ""
    answer = ScoreOut(ticket=ticket, waiting=job.waiting, rows=rows, detail=late)
    return Status(202 if job.waiting else 200, answer)


@router.get("/campaigns/{slug}/photos/{image_id}/reveal", response={200: RevealOut, **READ_PROBLEMS})
def reveal(request: HttpRequest, slug: Slug, image_id: Id) -> RevealOut:
    """Return the prediction and the others' votes after the user's own answer, or the prediction before it if the lease
    allows this.

    Leases allow it in prelabel campaigns, and for the photos drawn into the anchoring experiment.
    """
    user = request.user
    campaign, _role = campaign_for(user, slug, Role.ANNOTATOR)
    assert isinstance(user, User)  # campaign_for turns anonymous visitors away
    image = Image.objects.filter(LIVE, campaign=campaign, pk=image_id).first()
    if image is None:
        raise HttpError(404, f"This campaign has no photo number {image_id}.")
    standing = list(Annotation.objects.filter(image=image).votes().select_related("annotator"))
    answered = any(answer.annotator_id == user.pk for answer in standing)
    if answered or not _is_shown_before(campaign, user, image):
        if campaign.mode == Campaign.Mode.BLIND:
            raise HttpError(403, "In this campaign predictions are not shown to annotators.")
        if not answered:
            raise HttpError(403, "Answer first: the prediction is shown afterwards.")
    prediction = (
        Prediction.objects.filter(image=image, model_version__campaign=campaign, model_version__is_champion=True)
        # After a change of the scale, the champion is replaced within a sweep.
        .filter(distribution__len=campaign.bins)
        .select_related("model_version")
        .first()
    )
    # Recorded after the answer too, because a later correction is not independent. Before the answer, a photo without
    # a prediction counts like any other.
    if answered or prediction is not None:
        prediction_shown(campaign=campaign, annotator=user, image_id=image.pk)
    others, unusual = None, None
    if answered:
        left_out = {user.pk, *excluded_annotators(campaign.pk)}
        of_others = [answer for answer in standing if answer.annotator_id not in left_out]
        others = _others_out(campaign, of_others)
        unusual = _unusual_score(campaign, prediction, user, standing, of_others) if prediction else None
    return RevealOut(
        prediction=_prediction_out(prediction) if prediction else None,
        others=others,
        unusual=unusual,
        drawing=_drawing(others.histogram if others else [], prediction.distribution if prediction else []),
    )


def _unusual_score(
    campaign: Campaign, prediction: Prediction, user: User, standing: list[Annotation], others: list[Annotation]
) -> int | None:
    """Return the user's own score if it may be a slip, by what they usually give to such photos."""
    score = next((answer.score for answer in standing if answer.annotator_id == user.pk), None)
    if score is None:
        return None
    expected = own_expectation(
        campaign=campaign,
        annotator=user,
        prediction=prediction,
        votes=[answer.score for answer in others if answer.is_blind and answer.score is not None],
    )
    return score if expected is not None and expected.is_surprising(score) else None


def _is_shown_before(campaign: Campaign, user: User, image: Image) -> bool:
    """Return whether the user holds a lease of the photo that shows the prediction before the answer."""
    leased = Assignment.objects.filter(image=image, annotator=user, state=Assignment.State.LEASED)
    if campaign.mode != Campaign.Mode.PRELABEL:
        leased = leased.filter(is_anchored=True)
    return leased.exists()


def _prediction_out(prediction: Prediction) -> PredictionOut:
    return PredictionOut(
        model_version=prediction.model_version.number,
        quality_mean=prediction.quality_mean,
        quality_std=prediction.quality_std,
        distribution=prediction.distribution,
        watch_probability=prediction.watch_probability,
    )


def _others_out(campaign: Campaign, answers: list[Annotation]) -> OthersOut | None:
    given = [answer.score for answer in answers if answer.score is not None]
    if not given:
        return None
    histogram = score_histogram(given, lowest=campaign.scale_min, highest=campaign.scale_max)
    simulated = sum(answer.annotator.is_simulated for answer in answers)
    return OthersOut(
        n=len(given),
        simulated=simulated,
        mean=float(mos(histogram, campaign.scale_min)),
        histogram=[int(count) for count in histogram],
    )


def _drawing(votes: Sequence[int], distribution: Sequence[float]) -> str:
    """Draw votes and distribution over the scores, for the line between photo and buttons; "" if they do not fit.

    Each is scaled to its own highest column, so that the shapes can be compared even with a single vote.
    """
    series = [Series(kind, values) for kind, values in (("people", votes), ("model", distribution)) if len(values)]
    bins = max((len(one.values) for one in series), default=0)
    if not 2 <= bins <= _BINS_DRAWN:
        return ""
    scaled = [Series(one.kind, [value / (max(one.values) or 1) for value in one.values]) for one in series]
    # No accessible name: the text beside it has the same content.
    return columns(name="", series=scaled, end=1, height=_DRAWING_HEIGHT, width=_COLUMN_WIDTH * bins)
