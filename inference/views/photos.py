"""The gallery of a campaign and the page of one photo."""

from collections.abc import Sequence
from typing import Any

from django.db.models import Avg, Count, F
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import render

from annotation.consensus import opinion
from annotation.models import DEFAULT_SYNSETS, Annotation, Campaign, Image, Role
from annotation.permissions import campaign_view
from inference.gallery import (
    ORDERS,
    PAGE_SIZE,
    GalleryQuery,
    cursor_of,
    gallery_images,
    images_after,
    images_before,
)
from inference.models import ModelVersion, Prediction, QualityClass
from inference.selectors import champion

NEAR_DUPLICATES_SHOWN = 24


@campaign_view(Role.REVIEWER)
def photos(request: HttpRequest, campaign: Campaign) -> HttpResponse:
    """Show the photos as a grid, sorted and filtered; htmx asks for the next rows as they come into sight."""
    version = champion(campaign)
    try:
        query = GalleryQuery.read(request.GET.dict())
        images = gallery_images(campaign, version, query)
        if after := request.GET.get("after", ""):
            images = images_after(images, query, after)
    except ValueError as error:
        return HttpResponseBadRequest(str(error), content_type="text/plain; charset=utf-8")
    found = list(images[: PAGE_SIZE + 1])
    shown, more = found[:PAGE_SIZE], len(found) > PAGE_SIZE
    people = _opinions(campaign, shown)
    context: dict[str, Any] = {
        "campaign": campaign,
        "version": version,
        "query": query,
        "query_string": query.encode(),
        "photos": [(image, people.get(image.pk)) for image in shown],
        "more": query.encode(after=cursor_of(shown[-1])) if more else "",
    }
    if request.htmx:  # type: ignore[attr-defined]  # set by django-htmx
        return render(request, "inference/_photo_tiles.html", context)
    context |= {
        "orders": [(name, label) for name, (label, _) in ORDERS.items()],
        "classes": QualityClass.choices,
        "splits": Image.Split.choices,
        "total": campaign.images.count(),
    }
    return render(request, "inference/photos.html", context)


def _opinions(campaign: Campaign, images: list[Image]) -> dict[int, dict[str, Any]]:
    """Return {image id: mean and votes} of the answers given without seeing a prediction, in one query."""
    standing = Annotation.objects.filter(
        image__in=images, superseded_by=None, score__isnull=False, saw_prediction=False
    )
    rows = standing.order_by().values("image_id").annotate(mean=Avg("score"), votes=Count("pk"))
    return {row["image_id"]: dict(row) for row in rows}


@campaign_view(Role.REVIEWER)
def photo(request: HttpRequest, campaign: Campaign, image_id: int) -> HttpResponse:
    """Show one photo, what people said about it, and what the models say."""
    image = Image.objects.filter(campaign=campaign, pk=image_id).first()
    if image is None:
        raise Http404("There is no such photo in this campaign.")
    current = champion(campaign)
    predictions = list(
        Prediction.objects.filter(image=image).select_related("model_version").order_by("-model_version__number")
    )
    prediction = next((row for row in predictions if row.model_version == current), None)
    answers = list(
        Annotation.objects.filter(image=image, superseded_by=None)
        .select_related("annotator")
        .annotate(seconds=F("milliseconds") / 1000.0)
        .order_by("pk")
    )
    try:
        query = GalleryQuery.read(request.GET.dict())
    except ValueError as error:
        return HttpResponseBadRequest(str(error), content_type="text/plain; charset=utf-8")
    before, after = _neighbours(campaign, current, query, image)
    context = {
        "campaign": campaign,
        "image": image,
        "answers": answers,
        "people": people_summary(campaign, answers),
        "prediction": prediction,
        "predictions": predictions,
        "synsets": _synset_rows(campaign, prediction),
        "near_duplicates": Image.objects.filter(campaign=campaign, group=image.group).exclude(pk=image.pk)[
            :NEAR_DUPLICATES_SHOWN
        ],
        "query_string": query.encode(),
        "before": before,
        "after": after,
    }
    return render(request, "inference/photo.html", context)


def people_summary(campaign: Campaign, answers: Sequence[Annotation]) -> dict[str, Any]:
    """Return what the answers of several annotators to one photo add up to.

    Answers given after the prediction was shown are counted (`anchored`) and left out of the rest.
    """
    rated = [answer for answer in answers if answer.score is not None]
    own = [answer for answer in rated if not answer.saw_prediction]
    histogram = opinion.score_histogram(
        [answer.score or 0 for answer in own], lowest=campaign.scale_min, highest=campaign.scale_max
    )
    low, high = opinion.mos_interval(histogram, campaign.scale_min)
    labels = [answer.watch for answer in own]
    return {
        "votes": len(own),
        "histogram": histogram.tolist(),
        "mos": float(opinion.mos(histogram, campaign.scale_min)),
        "low": float(low),
        "high": float(high),
        "sos": float(opinion.sos(histogram)) if len(own) > 1 else None,
        "watch": {label: labels.count(label) for label in Annotation.Watch.values},
        "anchored": len(rated) - len(own),
        "skips": len(answers) - len(rated),
        "simulated": sum(answer.annotator.is_simulated for answer in own),
    }


def _synset_rows(campaign: Campaign, prediction: Prediction | None) -> list[tuple[str, float]]:
    """Return the parts of the watch probability by name, largest first."""
    if prediction is None:
        return []
    names = [DEFAULT_SYNSETS.get(synset, f"ImageNet class {synset}") for synset in campaign.synsets]
    # A campaign whose synsets changed still has predictions made for the earlier ones.
    if len(names) != len(prediction.synset_probabilities):
        names = [f"part {place}" for place in range(1, len(prediction.synset_probabilities) + 1)]
    return sorted(zip(names, prediction.synset_probabilities, strict=True), key=lambda row: -row[1])


def _neighbours(
    campaign: Campaign, version: ModelVersion | None, query: GalleryQuery, image: Image
) -> tuple[Any | None, Any | None]:
    """Return the photos before and after this one in the gallery's order; none when it is not in it."""
    images = gallery_images(campaign, version, query)
    here = images.filter(pk=image.pk).first()
    if here is None:
        return None, None
    cursor = cursor_of(here)
    return images_before(images, query, cursor).first(), images_after(images, query, cursor).first()
