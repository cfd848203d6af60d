"""The Celery application. The database is the truth: a message only says 'look now'."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "iqs_site.settings")

app = Celery("iqs")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
