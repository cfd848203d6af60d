"""What is known about compared photos besides votes and predictions, for the calibration page."""

from pathlib import PurePath

import numpy as np

from annotation.models import Image
from training.evaluation.calibration.facts import PhotoFacts
from training.evaluation.comparison import Comparison

OTHER_PHOTOS = "other photos"


def photo_facts(comparison: Comparison) -> PhotoFacts:
    """Return the facts of the compared photos, in their order (one query)."""
    rows = Image.objects.filter(pk__in=comparison.image_ids.tolist()).values_list("pk", "batch__source")
    sources = {pk: PurePath(source).name if source else OTHER_PHOTOS for pk, source in rows}
    return PhotoFacts(sources=np.array([sources.get(pk, OTHER_PHOTOS) for pk in comparison.image_ids.tolist()], str))
