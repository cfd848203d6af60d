"""Addresses of the training app."""

from django.urls import path

from training.views import calibration, models, runs

urlpatterns = [
    path("campaigns/<slug:slug>/calibration/", calibration.calibration, name="calibration"),
    path("campaigns/<slug:slug>/models/", models.models_page, name="models"),
    path("campaigns/<slug:slug>/runs/<int:run_id>/", runs.run_page, name="run"),
]
