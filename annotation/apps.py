"""Registers the app with Django."""

from django.apps import AppConfig


class AnnotationConfig(AppConfig):
    name = "annotation"

    def ready(self) -> None:
        """Connect the receivers."""
        from annotation import receivers  # noqa: F401
