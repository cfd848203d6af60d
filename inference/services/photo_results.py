"""Everything that models computed from photos."""

from collections.abc import Collection

from django.db import transaction

from inference.models import ComparedPhoto, Disagreement, Distortion, Feature, Prediction, Signature


@transaction.atomic
def photo_results_delete(*, image_ids: Collection[int]) -> int:
    """Delete features, distortions and predictions of these photos, and return the number of rows."""
    tables = (Disagreement, Prediction, Signature, ComparedPhoto, Distortion, Feature)
    return sum(table._default_manager.filter(image__in=list(image_ids)).delete()[0] for table in tables)
