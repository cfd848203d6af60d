"""Counts of attempts that could be guesses."""

from django.db import models
from django.utils.translation import gettext_lazy


class AttemptCount(models.Model):
    """How often somebody has tried to log in, or to guess a link, since `started_at`.

    `annotation.services.attempts` has the limits, and deletes old rows.
    """

    class Kind(models.TextChoices):
        """What was tried, and for whom it is counted."""

        LOGIN = "login", gettext_lazy("log in: one name from one address")
        LOGIN_NAME = "login-name", gettext_lazy("log in: one name from all addresses")
        LOGIN_ADDRESS = "login-address", gettext_lazy("log in: all names from one address")
        PASSWORD = "password", gettext_lazy("current password, when changing it")  # no password
        INVITATION = "invitation", gettext_lazy("invitation and password links from one address")
        ACCOUNT = "account", gettext_lazy("new accounts from one address")
        TOKEN = "token", gettext_lazy("API tokens from one address")  # no password

    kind = models.CharField(max_length=20, choices=Kind.choices)
    name = models.CharField(
        max_length=150, blank=True, help_text="The user name that was tried, or a hash of it if it has no account."
    )
    address = models.CharField(max_length=60, blank=True, help_text="The network address of the client.")
    count = models.PositiveIntegerField()
    started_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("kind", "name", "address"), name="attempt_count_once"),)
