"""Addresses of the inference app."""

from django.urls import path

from inference.views import judge, photos

urlpatterns = [
    path("score/", judge.judge, name="judge"),
    path("score/<slug:ticket>/", judge.judged, name="judged"),
    path("campaigns/<slug:slug>/photos/", photos.photos, name="photos"),
    path("campaigns/<slug:slug>/photos/<int:image_id>/", photos.photo, name="photo"),
]
