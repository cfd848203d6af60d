"""Registers the app with Django."""

from django.apps import AppConfig


class InferenceConfig(AppConfig):
    name = "inference"

    def ready(self) -> None:
        """Connect the receivers of other apps' signals, and offer the queue strategies to campaigns."""
        from inference import receivers  # noqa: F401  # connects as it is imported
        from inference.services.queue_priorities import lanes_register

        lanes_register()
