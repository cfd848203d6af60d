"""The upload gate: a program sends one photo, and learns whether the campaign's model accepts it, and why."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext
from ninja import Field, Router, Schema, Status
from ninja.errors import HttpError

from annotation.access.permissions import campaign_for
from annotation.api_schema import READ_PROBLEMS, WRITE_PROBLEMS, Problem, Slug
from annotation.models import Role, User
from annotation.services.quotas import QuotaUsedUp
from annotation.tasks import announce, batch_import
from inference.selectors import champion
from inference.services.checked_photos import NoSpace, PhotoGone, PhotoRefused, checked_photo_take
from inference.services.scoring_jobs import ScoringJob, Upload, scoring_job_create, scoring_job_delete, scoring_job_find
from inference.services.scoring_models import is_usable, model_of
from inference.services.scoring_quota import ScoringBusy, ScoringLimitReached, ScoringNoSpace, ScoringRefused
from inference.services.scoring_waits import scoring_job_wait
from inference.services.upload_gate import GateAnswer, gate_answer
from inference.tasks import scoring_job_run

router = Router(tags=["inference"])

WAIT_SECONDS = 5.0
_CHUNK_BYTES = 64 * 1024
_BUSY_SECONDS = 1


class GateScoreOut(Schema):
    """The predicted score, on the campaign's scale."""

    score: float
    std: float = Field(description="Standard deviation of the predicted scores of different people.")
    interval: list[float] | None = Field(description="Lowest and highest score under the guarantee; null without one.")
    lowest: int = Field(description="Lowest score of the scale.")
    highest: int


class GateClassesOut(Schema):
    """For each class, the probability that the score of one person belongs to it. They add up to one."""

    rejected: float
    pending: float
    accepted: float


class GateWatchOut(Schema):
    """What the model says about the watch."""

    decision: Literal["yes", "no", "unsure"]
    probability: float


class GateDistortionsOut(Schema):
    """The severity of each distortion, 0 (none) to 1 (worst). They do not change the decision."""

    blur: float
    noise: float
    exposure: float
    compression: float
    worst: str | None = Field(description="The largest one; null when none is at least slight.")


class GuaranteeOut(Schema):
    """The calibrated limits beyond which the model decides. A limit is null when nothing is decided by it."""

    accept_from: float | None
    reject_below: float | None
    watch_from: float | None
    no_watch_below: float | None
    half_width: float | None
    confidence: float = Field(description="Of each statement by itself.")
    calibrated_on: int = Field(description="Number of photos with audit votes.")
    tolerances: dict[str, float] = Field(
        description="What the campaign allows: the largest share of `accepted`, `rejected` and `watch` photos that are "
        "wrong, and of watches that are `missed`; `score_share` of the scores are within `score_points`."
    )


class GateOut(Schema):
    """The answer about a photo."""

    decision: Literal["accepted", "pending", "rejected"]
    quality: GateScoreOut
    class_probabilities: GateClassesOut
    watch: GateWatchOut
    distortions: GateDistortionsOut
    reasons: list[str] = Field(description="Sentences in the language of the user.")
    version: int = Field(description="Number of the model version that decided: the champion.")
    guarantee: GuaranteeOut | None = Field(description="null: the decision has no guarantee.")
    guarantee_text: str
    stored: bool = Field(description="Whether the photo is in the campaign: false, because checking stores nothing.")
    ticket: str | None = Field(
        description="With `keep`: for `POST /campaigns/{slug}/gate/{ticket}/store`, for 15 minutes. null without."
    )


class GateStoredOut(Schema):
    """Where the photo is now."""

    known: bool = Field(description="Whether the campaign has this very photo from before. Then nothing is imported.")
    photo: int | None = Field(description="The id of that photo; null for a new one, which the import creates.")
    import_id: int | None = Field(
        description="The import that takes the photo: `GET /campaigns/{slug}/imports/{import_id}` says how it goes."
    )


class GateWaitingOut(Schema):
    """The photo waits for a worker."""

    ticket: str
    detail: str = Field("", description="A message if it takes long.")


Ticket = Annotated[str, Field(max_length=100)]

_SENT: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "title": "GatePhoto",
                    "properties": {"file": {"type": "string", "format": "binary", "title": "File"}},
                    "required": ["file"],
                }
            },
            "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
        },
    },
    "responses": {
        429: {
            "headers": {
                "Retry-After": {"description": "Seconds until a photo may be accepted.", "schema": {"type": "integer"}}
            }
        }
    },
}


@router.post(
    "/campaigns/{slug}/gate",
    response={200: GateOut, 202: GateWaitingOut, 409: Problem, **WRITE_PROBLEMS},
    openapi_extra=_SENT,
)
def gate(
    request: HttpRequest, response: HttpResponse, slug: Slug, keep: bool = False
) -> Status[GateOut] | Status[GateWaitingOut] | Status[Problem]:
    """Say whether the campaign's model accepts a photo, with reasons (reviewers). The photo is not stored.

    With `keep=true`, which needs an admin, the photo waits 15 minutes for `POST …/gate/{ticket}/store`.

    Send the photo as the multipart field `file`, or as the body with a content type such as `image/jpeg` or
    `application/octet-stream`. 200 with the answer, or after five seconds 202 with a ticket. 422 with the reason when
    the file is no photo that can be rated. 409 when the campaign has no model that can decide. 429 when you have sent
    as many photos as one hour allows, or when your earlier photos still wait.
    """
    campaign, _role = campaign_for(request.user, slug, Role.ADMIN if keep else Role.REVIEWER)
    user = request.user
    assert isinstance(user, User)  # campaign_for turns anonymous visitors away
    upload = _upload(request)
    version = champion(campaign)
    if version is None or version.files_deleted_at is not None or not is_usable(version):
        return Status(409, Problem(detail=gettext("The campaign has no model that can decide about photos now.")))
    try:
        ticket = scoring_job_create(
            user=user, uploads=[upload], model=model_of(version), has_thumbnails=False, keeps_photos=keep
        )
    except ScoringLimitReached as reached:
        response["Retry-After"] = str(reached.retry_after)
        return Status(429, Problem(detail=str(reached)))
    except ScoringBusy as busy:
        response["Retry-After"] = str(_BUSY_SECONDS)
        return Status(429, Problem(detail=str(busy)))
    except ScoringNoSpace as refused:
        raise HttpError(507, str(refused)) from refused
    except ScoringRefused as refused:
        raise HttpError(422, str(refused)) from refused
    announce(scoring_job_run, user.pk, ticket)
    job = scoring_job_wait(user=user, key=ticket, seconds=WAIT_SECONDS)
    if job is not None and not job.waiting and not keep:
        scoring_job_delete(user=user, key=ticket)
    return _answer(job, campaign.pk)


@router.get("/campaigns/{slug}/gate/{ticket}", response={200: GateOut, 202: GateWaitingOut, **READ_PROBLEMS})
def gate_ticket(request: HttpRequest, slug: Slug, ticket: Ticket) -> Status[GateOut] | Status[GateWaitingOut]:
    """Return the answer about a photo that the same user sent before, or 202 while it waits (reviewers).

    Answers are deleted after 15 minutes. 422 with the reason when the file is no photo that can be rated.
    """
    campaign, _role = campaign_for(request.user, slug, Role.REVIEWER)
    user = request.user
    assert isinstance(user, User)
    return _answer(scoring_job_find(user=user, key=ticket), campaign.pk)


@router.post("/campaigns/{slug}/gate/{ticket}/store", response={200: GateStoredOut, 409: Problem, **WRITE_PROBLEMS})
def gate_store(
    request: HttpRequest, response: HttpResponse, slug: Slug, ticket: Ticket
) -> GateStoredOut | Status[Problem]:
    """Take a photo that was checked with `keep=true` into the campaign (admins).

    An import takes it as any upload, with the same limits. Calling it again changes nothing. 404 when the photo is no
    longer here, 409 while it still waits for a worker, 422 when it is no photo that can be rated, 429 when you have
    begun as many imports as one hour allows.
    """
    campaign, _role = campaign_for(request.user, slug, Role.ADMIN)
    user = request.user
    assert isinstance(user, User)
    job = scoring_job_find(user=user, key=ticket)
    if (answer := _answer(job, campaign.pk)).status_code == 202:
        return Status(409, Problem(detail=gettext("The photo still waits for a worker. Ask for its answer first.")))
    assert job is not None, answer
    try:
        taken = checked_photo_take(campaign=campaign, by=user, job=job, place=0)
    except PhotoGone as gone:
        raise HttpError(404, str(gone)) from None
    except NoSpace as full:
        raise HttpError(507, str(full)) from None
    except PhotoRefused as refused:
        raise HttpError(422, str(refused)) from None
    except QuotaUsedUp as used_up:
        response["Retry-After"] = str(used_up.quota.retry_after)
        limit = used_up.quota.limit
        return Status(429, Problem(detail=f"You have started {limit} imports in this hour, as many as are allowed."))
    if taken.is_new_import and taken.batch:
        announce(batch_import, taken.batch.pk)
    return GateStoredOut(
        known=taken.known is not None,
        photo=taken.known.pk if taken.known else None,
        import_id=taken.batch.pk if taken.batch else None,
    )


class _Body:
    """The body of a request as an upload. It is read in pieces, so that it is never whole in memory."""

    name = "photo"

    def __init__(self, request: HttpRequest, size: int) -> None:
        self.size = size
        self._request = request

    def chunks(self) -> Iterator[bytes]:
        """Yield the body in pieces."""
        while piece := self._request.read(_CHUNK_BYTES):
            yield piece


def _upload(request: HttpRequest) -> Upload:
    """Return the photo of a request. Raises HttpError 413, 415 and 422 with a sentence."""
    kind = (request.content_type or "").lower()
    upload: Upload
    if kind == "multipart/form-data":
        files = request.FILES.getlist("file")
        if len(files) != 1 or len(request.FILES) != 1:
            raise HttpError(422, gettext("Send exactly one photo, in the field “file”."))
        upload = files[0]
    elif kind.startswith("image/") or kind == "application/octet-stream":
        upload = _Body(request, int(request.META.get("CONTENT_LENGTH") or 0))
    else:
        raise HttpError(
            415,
            gettext(
                "Send the photo as multipart/form-data in the field “file”, or as the body with a content type such as "
                "image/jpeg."
            ),
        )
    if not upload.size:
        raise HttpError(422, gettext("The file is empty."))
    if upload.size > settings.IQS_MAX_FILE_BYTES:
        megabytes = settings.IQS_MAX_FILE_BYTES // 1024**2
        raise HttpError(
            413, gettext("The file is larger than the %(megabytes)s MB allowed.") % {"megabytes": megabytes}
        )
    return upload


def _answer(job: ScoringJob | None, campaign_id: int) -> Status[GateOut] | Status[GateWaitingOut]:
    """Return the answer of a job, or its ticket. Raises HttpError 404, 422 and 503 with a sentence."""
    if job is None or job.model.campaign_id != campaign_id or len(job.files) != 1:
        raise HttpError(404, gettext("You have no photo with this ticket here. Answers are deleted after 15 minutes."))
    if job.waiting:
        late = gettext("No worker has taken the photo yet. Is a worker running?") if job.is_late else ""
        return Status(202, GateWaitingOut(ticket=job.key, detail=late))
    file = job.files[0]
    assert file.cells is not None  # nothing waits
    if reason := file.cells["reason"]:
        raise HttpError(503 if file.is_site_fault else 422, str(reason))
    return Status(200, _out(gate_answer(file.cells, job.model), job))


def _out(answer: GateAnswer, job: ScoringJob) -> GateOut:
    limits, rules = answer.limits, job.model.rules
    return GateOut(
        decision=answer.decision,
        quality=GateScoreOut(
            score=answer.score,
            std=answer.std,
            interval=None if answer.interval is None else list(answer.interval),
            lowest=rules.lowest,
            highest=rules.highest,
        ),
        class_probabilities=GateClassesOut(
            **dict(zip(("rejected", "pending", "accepted"), answer.class_probabilities, strict=True))
        ),
        watch=GateWatchOut(decision=answer.watch, probability=answer.watch_probability),
        distortions=GateDistortionsOut(**answer.distortions, worst=answer.worst_distortion or None),
        reasons=list(answer.reasons),
        version=job.model.number or 0,
        guarantee=None if limits is None else GuaranteeOut(**vars(limits), tolerances=_tolerances(job)),
        guarantee_text=answer.guarantee_text,
        stored=False,
        ticket=job.key if job.keeps_photos else None,
    )


def _tolerances(job: ScoringJob) -> dict[str, float]:
    tolerances = job.model.tolerances
    names = ("accepted", "rejected", "watch", "missed", "score_points", "score_share")
    values = {name: getattr(tolerances, name, None) for name in names}
    if values["score_points"] is None:
        del values["score_share"]
    return {name: value for name, value in values.items() if value is not None}
