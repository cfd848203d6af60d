"""Django's admin for runs, evaluations and promotions: to look at only. Schedules are 'Periodic tasks'."""

from django.contrib import admin

from annotation.admin import ReadOnlyAdmin
from training.models import Evaluation, Promotion, TrainingRun


@admin.register(TrainingRun)
class TrainingRunAdmin(ReadOnlyAdmin):
    """Runs; they are started and cancelled on the campaign's models page."""

    list_display = ("id", "campaign", "trigger", "state", "progress", "annotation_count", "attempt", "created_at")
    list_filter = ("campaign", "state", "trigger")
    list_select_related = ("campaign",)


@admin.register(Evaluation)
class EvaluationAdmin(ReadOnlyAdmin):
    """Measurements of versions against people."""

    list_display = ("id", "model_version", "against", "image_count", "vote_count", "created_at")
    list_select_related = ("model_version__campaign", "against__campaign")


@admin.register(Promotion)
class PromotionAdmin(ReadOnlyAdmin):
    """The audit trail of champions."""

    list_display = ("id", "campaign", "kind", "version", "replaced", "by", "created_at")
    list_filter = ("campaign", "kind")
    list_select_related = ("campaign", "version__campaign", "replaced__campaign", "by")
