"""Registers the app with Django."""

from django.apps import AppConfig


class InferenceConfig(AppConfig):
    name = "inference"

    def ready(self) -> None:
        """Connect the receivers of other apps' signals."""
        from inference import receivers  # noqa: F401  # connects as it is imported
