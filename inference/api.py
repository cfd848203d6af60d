"""The inference app's part of the API: what the model says, shown only when it may be."""

import threading
import time
from collections.abc import Sequence

from django.http import HttpRequest
from ninja import Field, File, Router, Schema, Status, UploadedFile
from ninja.errors import HttpError

from annotation.access.permissions import campaign_for
from annotation.drawing.columns import Series, columns
from annotation.measures.opinion import mos, score_histogram
from annotation.models import Annotation, Assignment, Campaign, Image, Role, User
from annotation.services.annotations import prediction_shown
from annotation.tasks import announce
from inference.models import Prediction
from inference.services.scoring_jobs import ScoringRefused, scoring_job_create, scoring_job_find
from inference.tasks import scoring_job_run

router = Router(tags=["inference"])


class PredictionOut(Schema):
    """What the champion says about a photo."""

    model_version: int
    quality_mean: float
    quality_std: float
    distribution: list[float]
    watch_probability: float


class OthersOut(Schema):
    """What the other annotators said, without the asker's own answer."""

    n: int
    simulated: int
    """How many of them come from simulated annotators."""
    mean: float
    histogram: list[int]


class RevealOut(Schema):
    """What may be shown about a photo, None where there is nothing yet."""

    prediction: PredictionOut | None
    others: OthersOut | None
    drawing: str = Field(
        "",
        description="Both distributions as one SVG element, each as high as the drawing: the others' filled, the "
        "model's outlined. Empty without any, and on scales of more than 20 scores.",
    )


class ScoreOut(Schema):
    """Photos that were sent to be judged, and what is known of them so far."""

    ticket: str = Field(description="The key of the scoring job.")
    waiting: int = Field(description="How many of the photos no worker has looked at yet; 0: all rows are there.")
    rows: list[dict[str, str | float | bool | None]] = Field(
        description="A row per judged photo, with the columns of `manage.py score --parts` on the scale 1-10."
    )
    detail: str = Field("", description="A sentence when it takes long.")


# Threads that may wait for a worker at the same time; whoever comes then gets the ticket at once.
_waiters = threading.BoundedSemaphore(4)
WAIT_SECONDS = 5.0
# The reveal's drawing, in pixels; more columns would push the words beside it off a phone.
_DRAWING_HEIGHT, _COLUMN_WIDTH, _BINS_DRAWN = 24, 8, 20


@router.post("/score", response={200: ScoreOut, 202: ScoreOut})
def score(request: HttpRequest, files: File[list[UploadedFile]]) -> Status[ScoreOut]:
    """Judge photos (multipart, field `files`, at most 20): 200 with all rows, or after five seconds 202 with a ticket.

    Nothing of the photos is kept; the rows can be asked for during 15 minutes.
    """
    user = request.user
    assert isinstance(user, User)  # the session's authentication turns anonymous visitors away
    try:
        ticket = scoring_job_create(user=user, uploads=files)
    except ScoringRefused as refused:
        raise HttpError(422, str(refused)) from refused
    announce(scoring_job_run, user.pk, ticket)
    if _waiters.acquire(blocking=False):
        try:
            until = time.monotonic() + WAIT_SECONDS
            while (job := scoring_job_find(user=user, key=ticket)) and job.waiting and time.monotonic() < until:
                time.sleep(0.1)
        finally:
            _waiters.release()
    return _score_answer(user, ticket)


@router.get("/score/{ticket}", response={200: ScoreOut, 202: ScoreOut})
def score_ticket(request: HttpRequest, ticket: str) -> Status[ScoreOut]:
    """Say what became of photos that were sent to be judged: 200 once all rows are there, until then 202."""
    user = request.user
    assert isinstance(user, User)
    return _score_answer(user, ticket)


def _score_answer(user: User, ticket: str) -> Status[ScoreOut]:
    job = scoring_job_find(user=user, key=ticket)
    if job is None:
        raise HttpError(404, "There is no such ticket of yours; rows are kept for 15 minutes.")
    rows = [file.cells for file in job.files if file.cells is not None]
    late = "No worker has taken the photos yet; is one alive?" if job.is_late else ""
    answer = ScoreOut(ticket=ticket, waiting=job.waiting, rows=rows, detail=late)
    return Status(202 if job.waiting else 200, answer)


@router.get("/campaigns/{slug}/photos/{image_id}/reveal", response=RevealOut)
def reveal(request: HttpRequest, slug: str, image_id: int) -> RevealOut:
    """Show the prediction and the others' mean: after the own answer, or before it where the lease says so.

    It says so in a prelabel campaign, and for the share that was drawn into the anchoring experiment.
    """
    user = request.user
    campaign, _role = campaign_for(user, slug, Role.ANNOTATOR)
    assert isinstance(user, User)  # campaign_for turns anonymous visitors away
    image = Image.objects.filter(campaign=campaign, pk=image_id).first()
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
        .select_related("model_version")
        .first()
    )
    # Also after the answer: there may be a correction, and it is not independent any more. Before it, a photo
    # without a prediction is judged like any other.
    if answered or prediction is not None:
        prediction_shown(campaign=campaign, annotator=user, image_id=image.pk)
    others = (
        _others_out(campaign, [answer for answer in standing if answer.annotator_id != user.pk]) if answered else None
    )
    return RevealOut(
        prediction=_prediction_out(prediction) if prediction else None,
        others=others,
        drawing=_drawing(others.histogram if others else [], prediction.distribution if prediction else []),
    )


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
    """Draw votes and distribution over the scores, for the line between photo and buttons; "" if it cannot hold them.

    Each is scaled to its own highest column: the shapes are compared, and a single vote does not flatten the model's.
    """
    series = [Series(kind, values) for kind, values in (("people", votes), ("model", distribution)) if len(values)]
    bins = max((len(one.values) for one in series), default=0)
    if not 2 <= bins <= _BINS_DRAWN:
        return ""
    scaled = [Series(one.kind, [value / (max(one.values) or 1) for value in one.values]) for one in series]
    # No name: the words beside it say the same.
    return columns(name="", series=scaled, end=1, height=_DRAWING_HEIGHT, width=_COLUMN_WIDTH * bins)
