"""Addresses of the inference app."""

from django.urls import path

from inference.views import photos

urlpatterns = [
    path("campaigns/<slug:slug>/photos/", photos.photos, name="photos"),
    path("campaigns/<slug:slug>/photos/<int:image_id>/", photos.photo, name="photo"),
]
