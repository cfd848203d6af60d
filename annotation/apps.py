"""Registers the app with Django."""

from django.apps import AppConfig


class AnnotationConfig(AppConfig):
    name = "annotation"

    def ready(self) -> None:
        """Connect the receivers, and let pure packages speak the language of the request."""
        from django.utils.translation import gettext, ngettext

        from annotation.language import translation_use

        translation_use(gettext, ngettext)
        from annotation import receivers  # noqa: F401
