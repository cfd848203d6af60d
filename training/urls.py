"""Addresses of the training app."""

from django.urls import path

from training.views import calibration, models, rating_practice, runs

urlpatterns = [
    path("campaigns/<slug:slug>/calibration/", calibration.calibration, name="calibration"),
    path("campaigns/<slug:slug>/rating-practice/", rating_practice.rating_practice, name="rating-practice"),
    path("campaigns/<slug:slug>/models/", models.models_page, name="models"),
    path("campaigns/<slug:slug>/models/evaluate", models.models_evaluate, name="models-evaluate"),
    path("campaigns/<slug:slug>/models/<int:number>/promote", models.model_promote, name="model-promote"),
    path("campaigns/<slug:slug>/models/<int:number>/rollback", models.model_rollback, name="model-rollback"),
    path("campaigns/<slug:slug>/runs/start", runs.run_start, name="run-start"),
    path("campaigns/<slug:slug>/runs/<int:run_id>/", runs.run_page, name="run"),
    path("campaigns/<slug:slug>/runs/<int:run_id>/live", runs.run_live, name="run-live"),
    path("campaigns/<slug:slug>/runs/<int:run_id>/cancel", runs.run_stop, name="run-cancel"),
]
