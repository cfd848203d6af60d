"""Users of the site."""

from django.contrib.auth.models import AbstractUser
from django.db import models


class User(AbstractUser):
    """A person, or a program that acts as an annotator. Pages label such programs as simulated."""

    is_simulated = models.BooleanField(
        "simulated", default=False, help_text="A program that acts as an annotator, for demos and tests."
    )
    key_bindings = models.JSONField(
        default=dict, blank=True, help_text="Keys of the annotate page that the user has changed: {action: key}."
    )
