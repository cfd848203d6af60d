"""Composition root: settings, addresses, workers, the demo. Nothing imports from here."""

from iqs_site.celery import app as celery_app

__all__ = ["celery_app"]
