"""Forms of the account page, of password links and of the audit page."""

from datetime import datetime, time
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext

from annotation.access.attempts import Kind, attempt_return, attempt_take
from annotation.language.lazy import gettext_lazy, password_rules
from annotation.models import ApiToken, AuditKind, Campaign, User
from annotation.services.preferences import MOST_GOAL, time_zones
from annotation.services.tokens import MOST_DAYS


def _new_password(label: str, help_text: str = "") -> forms.CharField:
    widget = forms.PasswordInput(attrs={"autocomplete": "new-password"})
    return forms.CharField(label=label, widget=widget, strip=False, help_text=help_text)


class NewPasswordForm(forms.Form):
    """A new password, twice."""

    password = _new_password(gettext_lazy("New password"), password_rules())
    again = _new_password(gettext_lazy("New password again"))

    def clean(self) -> dict[str, Any]:
        """Return the values. Raises ValidationError when the two passwords differ."""
        values: dict[str, Any] = dict(self.cleaned_data)
        if "password" in values and "again" in values and values["password"] != values["again"]:
            self.add_error("again", gettext("The two passwords are not the same."))
        return values


class OwnPasswordForm(NewPasswordForm):
    """The current password, and a new one."""

    current = forms.CharField(
        label=gettext_lazy("Current password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    field_order = ("current", "password", "again")

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._user = user

    def clean_current(self) -> str:
        """Return the current password. Raises ValidationError when it is wrong, and TooManyAttempts."""
        current: str = self.cleaned_data["current"]
        name = self._user.get_username()
        attempt_take(Kind.PASSWORD, name=name)
        if not self._user.check_password(current):
            raise forms.ValidationError(gettext("This is not your current password."))
        attempt_return(Kind.PASSWORD, name=name)
        return current


class PreferencesForm(forms.Form):
    """Language, time zone, theme, session goal and email address."""

    language = forms.ChoiceField(
        choices=User.Language.choices,
        required=False,
        label=gettext_lazy("Language"),
        help_text=gettext_lazy("Of the pages. The API answers in English."),
    )
    time_zone = forms.ChoiceField(
        label=gettext_lazy("Time zone"), required=False, help_text=gettext_lazy("For the times on pages.")
    )
    theme = forms.ChoiceField(label=gettext_lazy("Theme"), choices=User.Theme.choices, required=False)
    session_goal = forms.IntegerField(
        label=gettext_lazy("Session goal (photos)"),
        required=False,
        min_value=0,
        max_value=MOST_GOAL,
        help_text=gettext_lazy(
            "How many photos you want to rate in one session. The annotate page shows how far you are. "
            "0 or empty: no goal."
        ),
    )
    email = forms.EmailField(
        label=gettext_lazy("Email"),
        required=False,
        help_text=gettext_lazy("Optional. Links that set your password can be sent there."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        site = timezone.get_default_timezone_name()
        zones = [
            ("", gettext("%(site)s (of this site)") % {"site": site}),
            *((name, name.replace("_", " ")) for name in time_zones()),
        ]
        self.fields["time_zone"].choices = zones  # type: ignore[attr-defined]  # a ChoiceField

    def clean_session_goal(self) -> int:
        """Return the goal; 0 for an empty field."""
        return self.cleaned_data["session_goal"] or 0


class TokenForm(forms.Form):
    """A new API token."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=80,
        help_text=gettext_lazy("What uses the token, for example “backup script”."),
    )
    scope = forms.ChoiceField(
        label=gettext_lazy("Scope"),
        choices=ApiToken.Scope.choices,
        initial=ApiToken.Scope.READ,
        help_text=gettext_lazy(
            "read: see what your roles let you see. annotate: also lease photos, send answers and score photos. "
            "admin: also what only admins may do."
        ),
    )
    days = forms.IntegerField(label=gettext_lazy("Expires after (days)"), min_value=1, max_value=MOST_DAYS, initial=90)


class AuditForm(forms.Form):
    """Which audit records to show. Every field may be empty."""

    person = forms.CharField(required=False, max_length=150, label=gettext_lazy("Person"))
    kind = forms.ChoiceField(
        label=gettext_lazy("Kind"), required=False, choices=[("", gettext_lazy("everything")), *AuditKind.choices]
    )
    campaign = forms.ModelChoiceField(
        label=gettext_lazy("Campaign"),
        required=False,
        queryset=Campaign.objects.order_by("name"),
        to_field_name="slug",
        empty_label=gettext_lazy("all"),
    )
    since = forms.DateField(required=False, label=gettext_lazy("From"), widget=forms.DateInput(attrs={"type": "date"}))
    until = forms.DateField(required=False, label=gettext_lazy("Until"), widget=forms.DateInput(attrs={"type": "date"}))

    def clean_since(self) -> datetime | None:
        """Return the start of the day, in the time zone of the page."""
        return _in_time_zone(self.cleaned_data["since"], time.min)

    def clean_until(self) -> datetime | None:
        """Return the end of the day, in the time zone of the page."""
        return _in_time_zone(self.cleaned_data["until"], time.max)


def _in_time_zone(day: Any, moment: time) -> datetime | None:
    return datetime.combine(day, moment, tzinfo=timezone.get_current_timezone()) if day else None
