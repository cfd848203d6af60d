"""URLs of the inference app."""

from django.urls import path

from inference.views import photo, photos, try_model

urlpatterns = [
    path("score/", try_model.try_model, name="try-model"),
    path("score/<slug:key>/", try_model.try_model_result, name="try-model-result"),
    path("campaigns/<slug:slug>/photos/", photos.photos, name="photos"),
    path("campaigns/<slug:slug>/photos/extremes/", photos.extremes, name="photo-extremes"),
    path("campaigns/<slug:slug>/photos/predictions.csv", photos.predictions_table, name="predictions-table"),
    path("campaigns/<slug:slug>/photos/table.csv", photos.photos_table, name="photos-table"),
    path("campaigns/<slug:slug>/photos/<int:image_id>/", photo.photo, name="photo"),
    path("campaigns/<slug:slug>/photos/<int:image_id>/predictions", photo.photo_predictions, name="photo-predictions"),
]
