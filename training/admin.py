"""Read-only admin pages for runs, evaluations and promotions. Training schedules are edited under 'Periodic tasks'."""

from django.contrib import admin

from annotation.admin import ReadOnlyAdmin
from training.models import Evaluation, Promotion, TrainingRun


@admin.register(TrainingRun)
class TrainingRunAdmin(ReadOnlyAdmin):
    """Training runs. People start and cancel them on the campaign's models page."""

    list_display = ("number", "campaign", "trigger", "state", "progress", "annotation_count", "attempt", "created_at")
    list_filter = ("campaign", "state", "trigger")
    list_select_related = ("campaign",)


@admin.register(Evaluation)
class EvaluationAdmin(ReadOnlyAdmin):
    """Evaluations of model versions against the votes."""

    list_display = ("id", "model_version", "against", "image_count", "vote_count", "created_at")
    list_select_related = ("model_version__campaign", "against__campaign")


@admin.register(Promotion)
class PromotionAdmin(ReadOnlyAdmin):
    """The audit trail of champion changes."""

    list_display = ("id", "campaign", "kind", "version", "replaced", "by", "created_at")
    list_filter = ("campaign", "kind")
    list_select_related = ("campaign", "version__campaign", "replaced__campaign", "by")
