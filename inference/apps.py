"""Registers the app with Django."""

from django.apps import AppConfig


class InferenceConfig(AppConfig):
    name = "inference"

    def ready(self) -> None:
        """Connect the signal receivers and register the queue strategies as lanes."""
        from inference import receivers  # noqa: F401  # the import connects them
        from inference.services.queue_priorities import lanes_register

        lanes_register()
