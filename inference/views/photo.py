"""The page of one photo: votes, predictions, distortions and similar photos."""

from collections.abc import Sequence
from typing import Any

from django.core.exceptions import BadRequest, PermissionDenied
from django.db.models import F, OuterRef, Q, QuerySet, Subquery
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.http import require_safe

from annotation.access.permissions import campaign_view
from annotation.access.rows import row_or_404
from annotation.forms import WithdrawalForm
from annotation.measures import opinion
from annotation.models import LIVE, Annotation, Campaign, DuplicateLink, Image, Role, User, synset_name
from annotation.selectors.adjudications import adjudication_of, is_prediction_hidden, predictions_hidden
from annotation.selectors.aggregated_votes import aggregated_votes_of
from annotation.selectors.opinions import campaign_vote_variance
from annotation.selectors.photo_files import photo_file
from annotation.selectors.screening import vote_weights
from annotation.selectors.tags import tag_names, tags_of
from annotation.views.special_photos import special_photo_form
from inference.distortion.grades import grade_of
from inference.gallery.places import gallery_places, place_of, places_after, places_before, places_read
from inference.gallery.query import BY_PEOPLE, DISTORTIONS, GalleryQuery
from inference.gallery.rank import rank_of
from inference.models import Distortion, Feature, ModelVersion, Prediction, WatchWithModel
from inference.networks.config import WeightsMissing
from inference.selectors import (
    champion,
    class_limits,
    distortion_of,
    fits_scale,
    shown_threshold,
    watch_interval,
)
from inference.services.disagreements import disagreements_refresh
from inference.services.personal_lines import OwnExpectation, own_expectation
from inference.services.similarity import images_similar

NEAR_DUPLICATES_SHOWN = 24
SIMILAR_SHOWN = 12
#: Largest combined quality (0 … 100) that is rejected, and that is pending (`distortion.combine`).
DISTORTION_THRESHOLDS = (10, 60)
_WHAT = {
    "blur": gettext_lazy("out of focus or motion blur"),
    "noise": gettext_lazy("sensor noise"),
    "exposure": gettext_lazy("too dark or too bright"),
    "compression": gettext_lazy("JPEG blocks"),
}


@campaign_view(Role.REVIEWER)
def photo(request: HttpRequest, campaign: Campaign, image_id: int) -> HttpResponse:
    """Show one photo with its votes and predictions."""
    image = Image.objects.select_related("consensus").filter(campaign=campaign, pk=image_id).first()
    if image is None:
        raise Http404(gettext("There is no such photo in this campaign."))
    if image.withdrawn_at is not None:
        return redirect(f"{reverse('withdrawn-photos', args=[campaign.slug])}#photo-{image.pk}")
    try:
        query = GalleryQuery.read(request.GET.dict())
    except ValueError as error:
        raise BadRequest(str(error)) from error
    assert isinstance(request.user, User)  # campaign_view refuses anonymous users
    hidden = predictions_hidden(campaign, request.user)
    is_hidden = hidden.filter(image=image).exists()
    current = champion(campaign)
    if current and query.order in BY_PEOPLE:
        disagreements_refresh(version=current)
    predictions = [] if is_hidden else _predictions(image)
    # After a change of the scale, the champion is replaced within a sweep.
    shown = current if current and fits_scale(current, campaign) and not is_hidden else None
    prediction = next((row for row in predictions if row.model_version == shown), None)
    answers = list(
        Annotation.objects.filter(image=image, is_repeat=False)
        .with_independence()
        .select_related("annotator", "superseded_by")
        .annotate(seconds=F("milliseconds") / 1000.0)
        .order_by("annotator__username", "pk")
    )
    weight_of = vote_weights(campaign.pk)
    for answer in answers:
        weight = weight_of.get(answer.annotator_id)
        answer.weight_percent = weight and 100 * weight  # type: ignore[attr-defined]  # None: counts fully
    distortion = distortion_of(image)
    before, after = _neighbours(image, gallery_places(campaign, current, query, hidden), query)
    context = {
        "campaign": campaign,
        "image": image,
        "answers": answers,
        "has_weights": any(answer.annotator_id in weight_of for answer in answers),
        "people": people_summary(campaign, answers),
        "consensus": getattr(image, "consensus", None),  # no row without votes,
        "aggregated": aggregated_votes_of(image),
        "decision": adjudication_of(image),
        "is_hidden": is_hidden,
        "prediction": prediction,
        "watch_threshold": shown_threshold(campaign, shown),
        "class_limits": class_limits(campaign, shown),
        "watch_interval": watch_interval(shown, prediction.watch_probability) if shown and prediction else None,
        "predictions": predictions,
        "own": _own_expectation(campaign, request.user, prediction, answers),
        "rank": rank_of(prediction, class_limits(campaign, shown)) if prediction else None,
        **_with_model(image, shown),
        "synsets": _synset_rows(prediction),
        "file": photo_file(image),
        "distortion": distortion,
        "severities": _severities(distortion),
        "distortion_thresholds": DISTORTION_THRESHOLDS,
        "similar": _similar(image),
        "features_failed": Feature.objects.filter(image=image, state=Feature.State.FAILED).last(),
        "near_duplicates": _near_duplicates(image),
        # No photo changes to train.
        "split_changes": () if image.split == Image.Split.TRAIN else image.split_changes.all(),
        "withdrawal_form": WithdrawalForm(),
        "tags": tags_of(image),
        "tag_names": tag_names(campaign),
        "query_string": query.encode(),
        "gallery_string": query.encode(at=image.pk),
        "before": before,
        "after": after,
    }
    if request.campaign_role == Role.ADMIN:  # type: ignore[attr-defined]  # set by campaign_view
        context["special_form"] = special_photo_form(image)
    return render(request, "inference/photo.html", context)


@require_safe
@campaign_view(Role.REVIEWER)
def photo_predictions(request: HttpRequest, campaign: Campaign, image_id: int) -> HttpResponse:
    """Return the predictions of a photo for the page of a decision; 403 before the reviewer's own answer."""
    assert isinstance(request.user, User)
    image = row_or_404("photo", Image.objects.filter(LIVE).select_related("campaign"), campaign=campaign, pk=image_id)
    if is_prediction_hidden(image, request.user):
        raise PermissionDenied(gettext("Decide first: the predictions follow your own answer."))
    return render(
        request,
        "inference/_reveal.html",
        {"campaign": campaign, "image": image, "predictions": _predictions(image)},
    )


def _predictions(image: Image) -> list[Prediction]:
    rows = Prediction.objects.filter(image=image).with_quality_class().select_related("model_version")
    return list(rows.order_by("-model_version__number"))


def _near_duplicates(image: Image) -> QuerySet[Image]:
    """Return the first photos of the same group; with how near they are if the comparison of photos has linked them."""
    pair = Q(image=image, other=OuterRef("pk")) | Q(image=OuterRef("pk"), other=image)
    rows = DuplicateLink.objects.filter(pair)
    links = {name: Subquery(rows.values(name)[:1]) for name in ("cosine", "is_mirrored")}
    others = Image.objects.filter(LIVE, campaign=image.campaign_id, group=image.group).exclude(pk=image.pk)
    return others.annotate(**links)[:NEAR_DUPLICATES_SHOWN]


def _with_model(image: Image, version: ModelVersion | None) -> dict[str, Any]:
    """Return the watch label with the model as one more voter, and how well it votes (one query); {} without one."""
    rows = WatchWithModel.objects.filter(image=image, model_version=version).select_related(
        "model_version__watch_voter"
    )
    row = rows.first() if version else None
    return {} if row is None else {"with_model": row, "voter": row.model_version.watch_voter}


def people_summary(campaign: Campaign, answers: Sequence[Annotation]) -> dict[str, Any]:
    """Return vote counts, MOS with interval, SOS and watch labels of one photo from its independent votes.

    `answers`: all rows of the photo without hidden repeats, `with_independence()` and their `superseded_by`.
    `exposed` is the number of annotators who answered only after seeing the prediction, and `excluded` the number of
    those whom a reviewer has excluded. They are left out of all other numbers.
    """
    standing: list[Any] = [answer for answer in answers if not hasattr(answer, "superseded_by")]
    rated = [answer for answer in standing if answer.score is not None]
    own = [answer for answer in answers if answer.is_independent_vote]  # type: ignore[attr-defined]  # annotated
    voters = {answer.annotator_id for answer in own}
    histogram = opinion.score_histogram(
        [answer.score or 0 for answer in own], lowest=campaign.scale_min, highest=campaign.scale_max
    )
    low, high = opinion.mos_interval(histogram, campaign.scale_min, campaign_vote_variance(campaign))
    labels = [answer.watch for answer in own]
    return {
        "votes": len(own),
        "histogram": histogram.tolist(),
        "mos": float(opinion.mos(histogram, campaign.scale_min)),
        "low": float(low),
        "high": float(high),
        "sos": float(opinion.sos(histogram)) if len(own) > 1 else None,
        "watch": {label: labels.count(label) for label in Annotation.Watch.values},
        "exposed": sum(answer.annotator_id not in voters and not answer.is_of_excluded for answer in rated),
        "excluded": sum(answer.is_of_excluded for answer in rated),
        "skips": len(standing) - len(rated),
        "simulated": sum(answer.annotator.is_simulated for answer in own),
    }


def _own_expectation(
    campaign: Campaign, user: User, prediction: Prediction | None, answers: Sequence[Annotation]
) -> OwnExpectation | None:
    """Return what the user would answer by their answers to other photos; None before the own answer.

    `answers`: as for `people_summary`. `prediction`: None while the predictions are hidden from the user.
    """
    standing = [answer for answer in answers if not hasattr(answer, "superseded_by") and answer.score is not None]
    if prediction is None or all(answer.annotator_id != user.pk for answer in standing):
        return None
    votes = [answer.score for answer in answers if answer.is_independent_vote and answer.annotator_id != user.pk]  # type: ignore[attr-defined]  # annotated
    return own_expectation(
        campaign=campaign,
        annotator=user,
        prediction=prediction,
        votes=[score for score in votes if score is not None],
    )


def _synset_rows(prediction: Prediction | None) -> list[tuple[str, float]]:
    """Return (class name, probability) of each synset of the version, largest first.

    The campaign may have other synsets now. Only the number of a class is shown if the version's synsets are unknown.
    """
    if prediction is None:
        return []
    names = [synset_name(synset) for synset in prediction.model_version.synsets]
    if len(names) != len(prediction.synset_probabilities):
        names = [
            gettext("class %(place)s") % {"place": place}
            for place in range(1, len(prediction.synset_probabilities) + 1)
        ]
    return sorted(zip(names, prediction.synset_probabilities, strict=True), key=lambda row: -row[1])


def _neighbours(image: Image, places: QuerySet[Image, Any], query: GalleryQuery) -> tuple[int | None, int | None]:
    """Return the ids of the previous and next photo in the gallery's order; None if the photo is not in it."""
    here = place_of(places, image.pk)
    if here is None:
        return None, None
    before = places_read(places_before(places, query, here.cursor)[:1])
    after = places_read(places_after(places, query, here.cursor)[:1])
    return before[0].image_id if before else None, after[0].image_id if after else None


def _severities(distortion: Distortion | None) -> list[dict[str, Any]]:
    """Return one row per detector; an empty list if the photo is not measured yet."""
    if distortion is None or distortion.state != Distortion.State.DONE:
        return []
    rows = []
    for name in DISTORTIONS:
        value = getattr(distortion, name)
        if value is None:
            continue
        grade, _ = grade_of(value)  # it also sets the colour
        rows.append({"name": name, "value": value, "grade": grade, "what": _WHAT[name]})
    return rows


def _similar(image: Image) -> list[tuple[Image, float]] | None:
    try:
        return images_similar(image, limit=SIMILAR_SHOWN)
    except WeightsMissing:  # then no photo has features of the site's backbone
        return None
