"""Registers the app with Django."""

from django.apps import AppConfig


class TrainingConfig(AppConfig):
    name = "training"
