"""URLs of the inference app."""

from django.urls import path

from inference.views import photo, photo_bulk, photo_map, photo_tags, photos, try_model

urlpatterns = [
    path("score/", try_model.try_model, name="try-model"),
    path("score/<slug:key>/", try_model.try_model_result, name="try-model-result"),
    path("campaigns/<slug:slug>/gate/", try_model.gate, name="gate"),
    path("campaigns/<slug:slug>/gate/<slug:key>/", try_model.gate_result, name="gate-result"),
    path("campaigns/<slug:slug>/gate/<slug:key>/<int:place>/store", try_model.gate_store, name="gate-store"),
    path("campaigns/<slug:slug>/photos/", photos.photos, name="photos"),
    path("campaigns/<slug:slug>/photos/extremes/", photos.extremes, name="photo-extremes"),
    path("campaigns/<slug:slug>/photos/predictions.csv", photos.predictions_table, name="predictions-table"),
    path("campaigns/<slug:slug>/photos/table.csv", photos.photos_table, name="photos-table"),
    path("campaigns/<slug:slug>/photos/counts/", photos.photos_counts, name="photos-counts"),
    path("campaigns/<slug:slug>/photos/map/", photo_map.photo_map, name="photo-map"),
    path("campaigns/<slug:slug>/photos/map/points", photo_map.photo_map_points, name="photo-map-points"),
    path("campaigns/<slug:slug>/photos/map/selection", photo_map.photo_map_selection, name="photo-map-selection"),
    path("campaigns/<slug:slug>/photos/bulk/", photo_bulk.bulk_actions, name="bulk-actions"),
    path("campaigns/<slug:slug>/photos/bulk/start", photo_bulk.photos_bulk, name="photos-bulk"),
    path("campaigns/<slug:slug>/photos/bulk/<int:action_id>/", photo_bulk.bulk_action, name="bulk-action"),
    path(
        "campaigns/<slug:slug>/photos/bulk/<int:action_id>/undo", photo_bulk.bulk_action_undo, name="bulk-action-undo"
    ),
    path("campaigns/<slug:slug>/photos/selection", photo_bulk.selection, name="photo-selection"),
    path("campaigns/<slug:slug>/photos/views", photo_bulk.saved_view, name="saved-view"),
    path("campaigns/<slug:slug>/photos/<int:image_id>/facts", photo_tags.photo_facts, name="photo-facts"),
    path("campaigns/<slug:slug>/photos/<int:image_id>/tags", photo_tags.photo_tags, name="photo-tags"),
    path("campaigns/<slug:slug>/photos/<int:image_id>/", photo.photo, name="photo"),
    path("campaigns/<slug:slug>/photos/<int:image_id>/predictions", photo.photo_predictions, name="photo-predictions"),
]
