"""Forms for members, users, practice and check photos, and edited answers."""

from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm
from django.utils.translation import gettext, gettext_lazy

from annotation.access.attempts import TooManyAttempts
from annotation.access.hashers import HashingBusy
from annotation.language.lazy import password_rules
from annotation.models import Annotation, Campaign, Image, Role, User
from annotation.services import invitations
from annotation.services.comments import COMMENT_LENGTH
from annotation.services.withdrawals import REASON_LENGTH


class MemberForm(forms.Form):
    """A user to add to a campaign, by user name."""

    username = forms.CharField(
        label=gettext_lazy("User name"), max_length=150, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    role = forms.ChoiceField(label=gettext_lazy("Role"), choices=Role.choices, initial=Role.ANNOTATOR)

    def clean_username(self) -> User:
        """Return the user. Raises ValidationError when no user has this name."""
        name = self.cleaned_data["username"].strip()
        user = User.objects.filter(name_key=name).first()
        if user is None:
            raise forms.ValidationError(
                gettext("There is no user %(name)s. Superusers create accounts on the Users page.")
                % {"name": f"{name!r}"}
            )
        return user


class InvitationForm(forms.Form):
    """An invitation link. `annotation.services.invitations` sets the limits."""

    role = forms.ChoiceField(
        label=gettext_lazy("Role"),
        choices=[(role.value, role.label) for role in invitations.ROLES],
        initial=Role.ANNOTATOR,
    )
    places = forms.IntegerField(
        label=gettext_lazy("Max uses"), min_value=1, max_value=invitations.MOST_PLACES, initial=1
    )
    days = forms.IntegerField(
        label=gettext_lazy("Expires after (days)"), min_value=1, max_value=invitations.MOST_DAYS, initial=7
    )
    note = forms.CharField(
        label=gettext_lazy("Note"),
        required=False,
        max_length=120,
        help_text=gettext_lazy("Who the link is for. Only admins see this."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class AccountForm(forms.Form):
    """A new account for a person with an invitation."""

    username = forms.CharField(
        label=gettext_lazy("User name"), max_length=150, widget=forms.TextInput(attrs={"autocomplete": "username"})
    )
    password = forms.CharField(
        label=gettext_lazy("Password"),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        strip=False,
        help_text=password_rules(),
    )


class SpecialPhotoForm(forms.Form):
    """How a photo is used, and its expected answer. `annotation.services.special_photos` has the rules."""

    role = forms.ChoiceField(
        label=gettext_lazy("Use as"),
        choices=[
            (Image.Role.PRACTICE.value, gettext_lazy("practice: rated before the first photo that counts")),
            (Image.Role.EXAMPLE.value, gettext_lazy("example: shown with the instructions")),
            (Image.Role.GOLD.value, gettext_lazy("gold: shown without a mark, to check attention")),
            (Image.Role.RATED.value, gettext_lazy("ordinary: rated like all other photos")),
        ],
    )
    expected_watch = forms.ChoiceField(
        label=gettext_lazy("Expected watch label"), choices=[("", "–"), *Annotation.Watch.choices], required=False
    )
    expected_score = forms.IntegerField(label=gettext_lazy("Expected score"), required=False)
    guidance = forms.CharField(
        label=gettext_lazy("Guidance"),
        required=False,
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy(
            "Explains the expected answer, for example “Sharp, but the highlights are burnt out.” Not shown "
            "for gold photos."
        ),
    )
    leave_evaluation = forms.BooleanField(
        label=gettext_lazy("Yes, leave this photo out of evaluation"), required=False, widget=forms.CheckboxInput
    )


class WithdrawalForm(forms.Form):
    """Why a photo is withdrawn."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=REASON_LENGTH,
        help_text=gettext_lazy("For example “The person in the photo asked for it.” Reviewers and admins see it."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class CorrectionForm(forms.Form):
    """A new answer that replaces the old one. `annotation.services.annotations` has the rules."""

    client_id = forms.UUIDField(widget=forms.HiddenInput)
    watch = forms.ChoiceField(
        label=gettext_lazy("Does it show a watch?"), choices=Annotation.Watch.choices, widget=forms.RadioSelect
    )
    score = forms.IntegerField(label=gettext_lazy("How good does it look?"))
    comment = forms.CharField(
        label=gettext_lazy("Comment for the campaign's admins"),
        required=False,
        max_length=COMMENT_LENGTH,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, *args: Any, campaign: Campaign, buttons: bool, **kwargs: Any) -> None:
        """Offer the scores of the campaign as buttons, or as a number field."""
        super().__init__(*args, **kwargs)
        lowest, highest = campaign.scale_min, campaign.scale_max
        if buttons:
            self.fields["score"].widget = forms.RadioSelect(choices=[(score, score) for score in campaign.scores])
        else:
            self.fields["score"].widget = forms.NumberInput(attrs={"min": lowest, "max": highest})
        self.fields["score"].help_text = gettext("%(lowest)s is the worst, %(highest)s the best.") % {
            "lowest": lowest,
            "highest": highest,
        }


class UserForm(forms.Form):
    """A new account. The person sets the password with a link."""

    username = forms.CharField(
        label=gettext_lazy("User name"), max_length=150, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    email = forms.EmailField(
        label=gettext_lazy("Email"),
        required=False,
        help_text=gettext_lazy(
            "Optional. The link that sets the password is also sent there, if the site can send email."
        ),
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )
    is_simulated = forms.BooleanField(
        label=gettext_lazy("Simulated"),
        required=False,
        help_text=gettext_lazy("A program that acts as an annotator. It is marked as simulated on every page."),
    )


class AnonymiseForm(forms.Form):
    """The user name, typed to confirm."""

    username = forms.CharField(
        label=gettext_lazy("User name"), max_length=150, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )

    def __init__(self, *args: Any, person: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._person = person

    def clean_username(self) -> str:
        """Return the name. Raises ValidationError when it is not the name of the person."""
        name: str = self.cleaned_data["username"]
        if name.strip() != self._person.username:
            raise forms.ValidationError(gettext("This is not the name of the account."))
        return name


class LoginForm(AuthenticationForm):
    """User name and password. `refusal` is set when the password was not checked at all."""

    refusal: TooManyAttempts | HashingBusy | None = None

    def clean(self) -> dict[str, Any]:
        """Return the values. Raises ValidationError when they are wrong, or cannot be checked now."""
        try:
            return super().clean()
        except (TooManyAttempts, HashingBusy) as refusal:
            self.refusal = refusal
            raise forms.ValidationError(str(refusal), code="refused") from refusal
