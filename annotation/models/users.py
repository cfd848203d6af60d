"""Users of the site. User names are unique whatever their case and Unicode form."""

import unicodedata
from collections.abc import Iterable
from typing import Any

from django.contrib.auth.models import AbstractUser, UserManager
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils.translation import gettext_lazy

#: Letters without a picture. A name with one of them would look like another name.
_INVISIBLE_LETTERS = frozenset("\u115f\u1160\u3164\uffa0")


def name_normal(name: str) -> str:
    """Return the name in the form that is stored and shown: Unicode NFKC."""
    return unicodedata.normalize("NFKC", name)


def name_key(name: str) -> str:
    """Return what two names have in common if they are the same name, whatever their case and Unicode form.

    This is NFKC, then case folding, then NFKC again, as in the Unicode Standard, section 3.13 (toNFKC_Casefold).
    """
    return name_normal(name_normal(name).casefold())


def name_visible(name: str) -> None:
    """Raise ValidationError for a name with letters that cannot be seen."""
    if _INVISIBLE_LETTERS & set(name_normal(name)):
        raise ValidationError("Enter a name without invisible letters.")


class UserNameField(models.CharField):  # type: ignore[type-arg]
    """A user name in NFKC, in the database, in forms and in conditions of queries."""

    def to_python(self, value: Any) -> Any:
        """Return the normal form, so that validators see what will be stored."""
        value = super().to_python(value)
        return name_normal(value) if isinstance(value, str) else value

    def get_prep_value(self, value: Any) -> Any:
        """Return the normal form, also for `filter(username=…)`."""
        value = super().get_prep_value(value)
        return name_normal(value) if isinstance(value, str) else value

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        """Return the normal form, and set it on the object too."""
        value = self.to_python(getattr(model_instance, self.attname))
        setattr(model_instance, self.attname, value)
        return value


class NameKeyField(models.CharField):  # type: ignore[type-arg]
    """`name_key` of the user name. A query may give any spelling: `filter(name_key="ALICE")`."""

    def get_prep_value(self, value: Any) -> Any:
        """Return the key of a name. The key of a key is the key itself."""
        value = super().get_prep_value(value)
        return name_key(value) if isinstance(value, str) else value

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        """Return the key of the object's user name, and set it on the object too."""
        value = name_key(getattr(model_instance, "username"))  # noqa: B009  # of User, or of User in a migration
        setattr(model_instance, self.attname, value)
        return value


class Users(UserManager["User"]):
    """Django's manager. Only the look-up by name differs."""

    def get_by_natural_key(self, username: str | None) -> "User":
        """Return the user with this name in any case and form. Login uses this. Raises User.DoesNotExist."""
        return self.get(name_key=username)


class User(AbstractUser):
    """A person, or a program that acts as an annotator. Pages label such programs as simulated.

    Change a user name through `save`, not through `update`, which does not set `name_key`.
    """

    class Theme(models.TextChoices):
        BROWSER = "", gettext_lazy("as this browser has it")
        LIGHT = "light", gettext_lazy("light")
        DARK = "dark", gettext_lazy("dark")

    class Language(models.TextChoices):
        BROWSER = "", gettext_lazy("as this browser has it")
        ENGLISH = "en-gb", "English"
        GERMAN = "de", "Deutsch"

    username = UserNameField(
        "username",
        max_length=150,
        unique=True,
        help_text="At most 150 letters, digits and @ . + - _. Case makes no difference.",
        validators=[UnicodeUsernameValidator(), name_visible],
        error_messages={"unique": "A user with that username already exists."},
    )
    # 150 characters, three times as many after case folding, and room for the normal form of these
    name_key = NameKeyField(max_length=600, unique=True, editable=False)
    is_simulated = models.BooleanField(
        "simulated", default=False, help_text="A program that acts as an annotator, for demos and tests."
    )
    key_bindings = models.JSONField(
        default=dict, blank=True, help_text="Keys of the annotate page that the user has changed: {action: key}."
    )
    time_zone = models.CharField(
        max_length=64, blank=True, help_text="IANA name, for the times on pages. Empty: the time zone of the site."
    )
    theme = models.CharField(max_length=5, blank=True, choices=Theme.choices)
    language = models.CharField(
        max_length=10,
        blank=True,
        help_text="Language of the pages. Empty: the first language of the browser that there is.",
    )
    session_goal = models.PositiveSmallIntegerField(
        default=0, help_text="Photos that the user wants to rate in one sitting. 0: no goal."
    )
    anonymised_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="When everything about the person was removed."
    )

    objects = Users()  # type: ignore[misc]  # django-stubs expects a manager of AbstractUser

    #: Scope of the API token of this request, one of ApiToken.Scope. Empty when the person has logged in. Not stored.
    token_scope: str = ""

    def clean(self) -> None:
        """Raise ValidationError when another user has this name, in any case and form."""
        super().clean()
        if User.objects.filter(name_key=self.username).exclude(pk=self.pk).exists():
            raise ValidationError({"username": "A user with that username already exists."})

    def save(self, *args: Any, update_fields: Iterable[str] | None = None, **kwargs: Any) -> None:
        """Save the user, and with a user name its key. Everything that receivers write is in the same transaction."""
        self.name_key = name_key(self.username)  # set, so that it is saved also when it was not loaded
        if update_fields is not None and "username" in update_fields:
            update_fields = {*update_fields, "name_key"}
        with transaction.atomic():
            super().save(*args, update_fields=update_fields, **kwargs)
