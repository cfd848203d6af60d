"""Admin pages for runs, evaluations, promotions and what the scheduler starts. Only that can be switched off."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django_celery_beat.models import PeriodicTask

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


@admin.register(PeriodicTask)
class PeriodicTaskAdmin(ReadOnlyAdmin):
    """What the scheduler starts, and when it did so last.

    The models page of a campaign sets when it trains, and the settings of the site set the sweeps. A task can be
    switched off here, for example while the server is repaired.
    """

    list_display = ("name", "enabled", "interval", "crontab", "last_run_at", "total_run_count")
    list_filter = ("enabled",)
    list_select_related = ("interval", "crontab")
    fields = ("enabled", "name", "task", "interval", "crontab", "kwargs", "last_run_at", "total_run_count")
    readonly_fields = fields[1:]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return whether the person may switch tasks on and off."""
        return admin.ModelAdmin.has_change_permission(self, request, obj)
