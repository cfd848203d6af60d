"""Registers the app with Django."""

from django.apps import AppConfig

from iqs_site.instance.low_priority import priority_lower
from iqs_site.instance.models_install import gate_set
from iqs_site.prepared_statements import new_connections_follow


class IqsSiteConfig(AppConfig):
    name = "iqs_site"

    def ready(self) -> None:
        """Keep this process from importing packages that are still being installed, and set up its connections."""
        gate_set()
        priority_lower()
        new_connections_follow()
