"""Django admin for model versions, features, distortions and predictions: read-only."""

from django.contrib import admin

from annotation.admin import ReadOnlyAdmin
from inference.models import Distortion, Feature, ModelVersion, Prediction


@admin.register(ModelVersion)
class ModelVersionAdmin(ReadOnlyAdmin):
    """Model versions. The champion is changed on the campaign's models page, which writes an audit row."""

    list_display = ("id", "campaign", "number", "is_champion", "backbone", "checksum", "created_at")
    list_filter = ("campaign", "is_champion", "backbone")
    list_select_related = ("campaign",)


@admin.register(Feature)
class FeatureAdmin(ReadOnlyAdmin):
    """State of each photo in the features queue. The vectors are not shown."""

    list_display = ("id", "image", "backbone", "state", "attempts", "claimed_at", "reason")
    list_filter = ("state", "backbone")
    list_select_related = ("image",)
    exclude = ("vector",)
    show_full_result_count = False


@admin.register(Distortion)
class DistortionAdmin(ReadOnlyAdmin):
    """Measurements of the distortion detectors, or the reason for a failure."""

    list_display = ("id", "image", "version", "state", "quality", "quality_class", "attempts", "claimed_at", "reason")
    list_filter = ("state", "version", "quality_class")
    list_select_related = ("image",)
    show_full_result_count = False


@admin.register(Prediction)
class PredictionAdmin(ReadOnlyAdmin):
    """Predictions of each version for each photo."""

    list_display = ("id", "image", "model_version", "watch_probability", "quality_mean")
    list_select_related = ("image", "model_version__campaign")
    show_full_result_count = False
