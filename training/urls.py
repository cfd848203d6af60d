"""URLs of the training app."""

from django.urls import path
from django.views.generic import RedirectView

from training.views import (
    exports,
    learning_curve,
    model_decisions,
    models,
    next_photos,
    rater_quality,
    runs,
    schedule,
    version_pair,
    versions,
)
from training.views.calibration import page as calibration
from training.views.calibration import table as calibration_table

urlpatterns = [
    path("campaigns/<slug:slug>/calibration/", calibration.calibration, name="calibration"),
    path("campaigns/<slug:slug>/calibration/live", calibration.calibration_live, name="calibration-live"),
    path("campaigns/<slug:slug>/calibration/photos.csv", calibration_table.calibration_csv, name="calibration-csv"),
    path("campaigns/<slug:slug>/decisions/", model_decisions.decisions, name="decisions"),
    path("campaigns/<slug:slug>/decisions/rule", model_decisions.decisions_rule, name="decisions-rule"),
    path("campaigns/<slug:slug>/annotator-quality/", rater_quality.rater_quality, name="rater-quality"),
    path(
        "campaigns/<slug:slug>/annotator-quality/<int:user_id>/decide", rater_quality.rater_decide, name="rater-decide"
    ),
    path(
        "campaigns/<slug:slug>/annotator-quality/decisions/<int:decision_id>/undo",
        rater_quality.rater_undo,
        name="rater-undo",
    ),
    # The old address of that page: existing links and bookmarks must continue to work.
    path(
        "campaigns/<slug:slug>/rating-practice/",
        RedirectView.as_view(pattern_name="rater-quality", permanent=True, query_string=True),
    ),
    path("campaigns/<slug:slug>/next/", next_photos.next_photos_page, name="next-photos"),
    path("campaigns/<slug:slug>/next/photos.csv", next_photos.next_photos_csv, name="next-photos-csv"),
    path("campaigns/<slug:slug>/models/", models.models_page, name="models"),
    path(
        "campaigns/<slug:slug>/models/learning-curve/live",
        learning_curve.learning_curve_live,
        name="learning-curve-live",
    ),
    path(
        "campaigns/<slug:slug>/models/learning-curve/start",
        learning_curve.learning_curve_start,
        name="learning-curve-start",
    ),
    path("campaigns/<slug:slug>/models/evaluate", models.models_evaluate, name="models-evaluate"),
    path("campaigns/<slug:slug>/models/<int:number>/promote", models.model_promote, name="model-promote"),
    path("campaigns/<slug:slug>/models/<int:number>/rollback", models.model_rollback, name="model-rollback"),
    path("campaigns/<slug:slug>/models/compare/", version_pair.version_pair, name="version-pair"),
    path("campaigns/<slug:slug>/models/compare/start", version_pair.version_pair_start, name="version-pair-start"),
    path("campaigns/<slug:slug>/models/compare/live", version_pair.version_pair_live, name="version-pair-live"),
    path("campaigns/<slug:slug>/models/<int:number>/", versions.version_page, name="version"),
    path("campaigns/<slug:slug>/models/<int:number>/note", versions.version_note, name="version-note"),
    path("campaigns/<slug:slug>/models/<int:number>/card.md", versions.card_md, name="version-card-md"),
    path("campaigns/<slug:slug>/models/<int:number>/card.json", versions.card_json, name="version-card-json"),
    path("campaigns/<slug:slug>/models/<int:number>/export", versions.export_start, name="version-export-start"),
    path("campaigns/<slug:slug>/models/<int:number>/export/live", versions.export_live, name="version-export-live"),
    path("campaigns/<slug:slug>/models/<int:number>/export.zip", versions.export_zip, name="version-export"),
    path("campaigns/<slug:slug>/models/schedule", schedule.schedule_save, name="schedule-save"),
    path("campaigns/<slug:slug>/export/", exports.exports, name="exports"),
    path("campaigns/<slug:slug>/export/<slug:name>", exports.export_download, name="export-download"),
    path("campaigns/<slug:slug>/runs/start", runs.run_start, name="run-start"),
    path("campaigns/<slug:slug>/runs/<int:run_id>/", runs.run_page, name="run"),
    path("campaigns/<slug:slug>/runs/<int:run_id>/live", runs.run_live, name="run-live"),
    path("campaigns/<slug:slug>/runs/<int:run_id>/log", runs.run_log, name="run-log"),
    path("campaigns/<slug:slug>/runs/<int:run_id>/cancel", runs.run_stop, name="run-cancel"),
]
