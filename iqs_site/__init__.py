"""The Django project: settings, URLs, workers, demo and smoke run. The other apps import nothing from here."""

from iqs_site.celery import app as celery_app

__all__ = ["celery_app"]
