"""Addresses of the inference app."""

from django.urls import path

from inference.views import judge, photo, photos

urlpatterns = [
    path("score/", judge.judge, name="judge"),
    path("score/<slug:key>/", judge.judged, name="judged"),
    path("campaigns/<slug:slug>/photos/", photos.photos, name="photos"),
    path("campaigns/<slug:slug>/photos/extremes/", photos.extremes, name="photo-extremes"),
    path("campaigns/<slug:slug>/photos/table.csv", photos.photos_table, name="photos-table"),
    path("campaigns/<slug:slug>/photos/<int:image_id>/", photo.photo, name="photo"),
]
