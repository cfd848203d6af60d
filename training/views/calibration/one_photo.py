"""One photo of the calibration page, with the histograms of people and of the model."""

from collections.abc import Collection
from typing import Any

import numpy as np
from django.http import Http404
from django.utils.translation import gettext

from annotation.measures import opinion
from annotation.models import LIVE, Annotation, Campaign, Image
from annotation.selectors.opinions import campaign_vote_variance
from inference.models import ModelVersion, Prediction


def one_photo(campaign: Campaign, version: ModelVersion, photo_id: int, hidden: Collection[int]) -> dict[str, Any]:
    """Return one photo with both histograms (three queries), the `hidden` ones without prediction.

    Raises Http404 for a photo of another campaign.
    """
    image = Image.objects.filter(LIVE, campaign=campaign, pk=photo_id).first()
    if image is None:
        raise Http404(gettext("This photo is not in this campaign."))
    answers = Annotation.objects.filter(image=image).independent_votes()
    scores = np.array(answers.values_list("score", flat=True), dtype=np.int64)
    histogram = opinion.score_histogram(scores, lowest=campaign.scale_min, highest=campaign.scale_max)
    low, high = opinion.mos_interval(histogram, campaign.scale_min, campaign_vote_variance(campaign))
    people = {"mos": float(opinion.mos(histogram, campaign.scale_min)), "low": float(low), "high": float(high)}
    rows = Prediction.objects.filter(image=image, model_version=version).with_quality_class()
    prediction = None if image.pk in hidden else rows.first()
    return {
        "image": image,
        "is_hidden": image.pk in hidden,
        "people": people,
        "histogram": histogram.tolist(),
        "prediction": prediction,
    }
