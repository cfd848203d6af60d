"""Forms of the pages that administer campaigns, members and users."""

from typing import Any

from django import forms
from django.contrib.auth.password_validation import password_validators_help_texts

from annotation.models import DEFAULT_SYNSETS, Annotation, Campaign, Image, Role, User
from annotation.services import invitations
from annotation.services.campaigns import fields_fixed, share_most
from annotation.services.lane_registry import lane_shares_problem, lanes

_CLASSES = 1000  # of ImageNet


class SynsetsField(forms.CharField):
    """ImageNet class indices, separated by commas, as a list of numbers."""

    def prepare_value(self, value: Any) -> Any:
        """Return a list as people type it."""
        return ", ".join(map(str, value)) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        """Return the list. Raises ValidationError naming the part that is no class index."""
        text = value if isinstance(value, str) else self.prepare_value(value or [])
        synsets: list[int] = []
        for word in text.replace(",", " ").split():
            if not (word.isascii() and word.isdigit() and int(word) < _CLASSES):
                raise forms.ValidationError(f"{word!r} is no ImageNet class index (0 … {_CLASSES - 1}).")
            if int(word) in synsets:
                raise forms.ValidationError(f"{word} is named twice.")
            synsets.append(int(word))
        return synsets

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Return whether the list differs, however it is spaced."""
        try:
            return bool(self.to_python(initial) != self.to_python(data))
        except forms.ValidationError:
            return True


class PercentField(forms.FloatField):
    """A share in [0, 1], read and typed as a percentage."""

    def __init__(self, *, most: int, **kwargs: Any) -> None:
        """Offer percentages from 0 to `most`; the service checks what arrives."""
        widget = forms.NumberInput(attrs={"min": 0, "max": most, "step": 1})
        super().__init__(widget=widget, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        """Return a share as people read it; what somebody typed stays as it is."""
        return f"{100 * value:.10g}" if isinstance(value, int | float) else value

    def to_python(self, value: Any) -> Any:
        """Return the share. Raises ValidationError for what is no number."""
        percent = super().to_python(value)
        return None if percent is None else round(percent / 100, 12)

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Return whether the share differs, however it is typed."""
        try:
            return bool(initial != self.to_python(data))
        except forms.ValidationError:
            return True


class CampaignForm(forms.ModelForm):
    """A campaign. The rules between fields are those of `annotation.services.campaigns`, which saves it."""

    synsets = SynsetsField(
        label="Synsets",
        initial=list(DEFAULT_SYNSETS),
        help_text="ImageNet class indices whose probabilities are added up to the watch probability: "
        + ", ".join(f"{index} {name}" for index, name in DEFAULT_SYNSETS.items())
        + ".",
    )
    repeat_share = PercentField(
        label="Hidden repeats, in percent",
        most=share_most("repeat_share"),
        initial=0,
        help_text="So much of what an annotator gets is a photo they rated before, unmarked. It shows how well people "
        "agree with themselves and gives no votes. 5 is enough for a few hundred photos a person.",
    )
    gold_share = PercentField(
        label="Gold photos, in percent",
        most=share_most("gold_share"),
        initial=0.05,
        help_text="So much of what an annotator gets is a gold photo, unmarked, until they have seen them all. "
        "Choose them on the Special photos page; without any this changes nothing.",
    )
    anchoring_share = PercentField(
        label="Anchoring experiment, in percent",
        most=share_most("anchoring_share"),
        initial=0,
        help_text="So much shows the prediction before the answer, in blind campaigns too, to measure how far it sways "
        "people. Those answers are marked and kept out of evaluation. 0: no experiment.",
    )

    class Meta:
        model = Campaign
        fields = [
            "name",
            "slug",
            "description",
            "instructions",
            "mode",
            "scale_min",
            "scale_max",
            "synsets",
            "watch_threshold",
            "reject_at",
            "pending_at",
            "votes_per_image",
            "holdout_votes",
            "holdout_fraction",
            "lease_seconds",
            "repeat_share",
            "gold_share",
            "anchoring_share",
            "break_minutes",
            "train_after",
            "promote_automatically",
        ]
        widgets = {
            "description": forms.Textarea(attrs={"rows": 3}),
            "instructions": forms.Textarea(attrs={"rows": 6}),
            "mode": forms.RadioSelect,
            "watch_threshold": forms.NumberInput(attrs={"min": 0, "max": 1, "step": 0.01}),
            "reject_at": forms.NumberInput(attrs={"step": 0.1}),
            "pending_at": forms.NumberInput(attrs={"step": 0.1}),
            "holdout_fraction": forms.NumberInput(attrs={"min": 0, "max": 0.9, "step": 0.01}),
        }
        labels = {
            "slug": "Address",
            "votes_per_image": "Votes per photo",
            "holdout_votes": "Votes per holdout photo",
            "lease_seconds": "Lease, in seconds",
            "break_minutes": "Break after, in minutes",
            "train_after": "Train after so many new answers",
        }
        help_texts = {
            "slug": "Letters, digits and hyphens: /campaigns/…/",
            "lease_seconds": "For that long a photo is kept for the annotator who has it on the screen.",
            "reject_at": "Photos whose mean score is not above this are rejected.",
            "pending_at": "Photos above 'rejected' and not above this are pending, the others accepted.",
            "break_minutes": "After so much rating the page suggests a break; attention wanes after about half an "
            "hour. 0: never.",
            "holdout_votes": "More votes make the evaluation sharper.",
            "holdout_fraction": "Share of the photos that models never learn from. Drawn at import.",
            "promote_automatically": "A challenger that passes the promotion rule becomes the champion. The models "
            "page states the rule.",
        }

    GROUPS = (
        ("The campaign", ("name", "slug", "description", "instructions", "mode")),
        ("Scale and classes", ("scale_min", "scale_max", "reject_at", "pending_at")),
        ("Watches", ("synsets", "watch_threshold")),
        ("Votes", ("votes_per_image", "holdout_votes", "holdout_fraction", "lease_seconds")),
        ("Annotator quality", ("repeat_share", "gold_share", "anchoring_share", "break_minutes")),
        ("Training", ("train_after", "promote_automatically")),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._lane_fields = {lane.name: f"lane_{lane.name}" for lane in lanes()}
        for lane in lanes():
            self.fields[self._lane_fields[lane.name]] = PercentField(
                label=f"{lane.label}, in percent",
                most=100,
                initial=self.instance.lane_shares.get(lane.name, 0.0),
                help_text=lane.description,
            )
        fixed = fields_fixed(self.instance) if self.instance.pk else {}
        for name, reason in fixed.items():
            if name in self.fields:
                self.fields[name].disabled = True
                self.fields[name].help_text = reason

    def groups(self) -> list[tuple[str, list[forms.BoundField]]]:
        """Return headings with their fields, in the order in which the page shows them."""
        groups = [(heading, [self[name] for name in names]) for heading, names in self.GROUPS]
        queue = ("Order of the photos", [self[name] for name in self._lane_fields.values()])
        return [*groups[:-1], queue, groups[-1]]

    def clean(self) -> dict[str, Any]:
        """Return the values, with one {lane name: share} in place of the fields of the lanes."""
        values: dict[str, Any] = dict(self.cleaned_data)
        shares = {lane: values.pop(name) for lane, name in self._lane_fields.items() if name in values}
        if len(shares) == len(self._lane_fields) and (problem := lane_shares_problem(shares)):
            self.add_error(next(iter(self._lane_fields.values())), problem)
        return {**values, "lane_shares": {lane: share for lane, share in shares.items() if share}}

    def _post_clean(self) -> None:
        """Leave the instance as it is stored: the service checks the values and saves them."""


class MemberForm(forms.Form):
    """A user who joins a campaign, by name."""

    username = forms.CharField(label="User name", max_length=150, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    role = forms.ChoiceField(choices=Role.choices, initial=Role.ANNOTATOR)

    def clean_username(self) -> User:
        """Return the user. Raises ValidationError when there is none of that name."""
        name = self.cleaned_data["username"].strip()
        user = User.objects.filter(username=name).first()
        if user is None:
            raise forms.ValidationError(f"There is no user {name!r}. Superusers make accounts on the Users page.")
        return user


class InvitationForm(forms.Form):
    """A link with which people join. Its limits are those of `annotation.services.invitations`."""

    role = forms.ChoiceField(choices=[(role.value, role.label) for role in invitations.ROLES], initial=Role.ANNOTATOR)
    places = forms.IntegerField(
        min_value=1, max_value=invitations.MOST_PLACES, initial=1, help_text="So many people can join with it."
    )
    days = forms.IntegerField(
        label="Days", min_value=1, max_value=invitations.MOST_DAYS, initial=7, help_text="For so long it can be used."
    )
    note = forms.CharField(
        required=False,
        max_length=120,
        help_text="Whom it is for; only admins see it.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class AccountForm(forms.Form):
    """An account that somebody with an invitation makes for themselves."""

    username = forms.CharField(
        label="User name", max_length=150, widget=forms.TextInput(attrs={"autocomplete": "username"})
    )
    password = forms.CharField(
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        strip=False,
        help_text=" ".join(password_validators_help_texts()),
    )


class SpecialPhotoForm(forms.Form):
    """How a photo is used, and which answer to it is known; `annotation.services.special_photos` has the rules."""

    role = forms.ChoiceField(
        label="Use as",
        choices=[
            (Image.Role.PRACTICE.value, "practice: rated first, then explained"),
            (Image.Role.EXAMPLE.value, "example: shown with the instructions"),
            (Image.Role.GOLD.value, "gold: mixed in, checks attention"),
            (Image.Role.RATED.value, "rated: an ordinary photo"),
        ],
    )
    expected_watch = forms.ChoiceField(
        label="Expected about the watch", choices=[("", "–"), *Annotation.Watch.choices], required=False
    )
    expected_score = forms.IntegerField(label="Expected score", required=False)
    guidance = forms.CharField(
        required=False,
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="What the photo teaches, e.g. “Sharp, but the highlights are burnt out.” Gold photos show nothing.",
    )
    leave_evaluation = forms.BooleanField(
        label="Yes, leave this photo out of evaluation", required=False, widget=forms.CheckboxInput
    )


class CorrectionForm(forms.Form):
    """Another answer to a photo that the annotator had answered; `annotation.services.annotations` has the rules."""

    client_id = forms.UUIDField(widget=forms.HiddenInput)
    watch = forms.ChoiceField(label="Does it show a watch?", choices=Annotation.Watch.choices, widget=forms.RadioSelect)
    score = forms.IntegerField(label="How good does it look?")

    def __init__(self, *args: Any, campaign: Campaign, buttons: bool, **kwargs: Any) -> None:
        """Offer the scores of the campaign: one button each, or a number to type."""
        super().__init__(*args, **kwargs)
        lowest, highest = campaign.scale_min, campaign.scale_max
        if buttons:
            self.fields["score"].widget = forms.RadioSelect(choices=[(score, score) for score in campaign.scores])
        else:
            self.fields["score"].widget = forms.NumberInput(attrs={"min": lowest, "max": highest})
        self.fields["score"].help_text = f"{lowest} is the worst, {highest} the best."


class UserForm(forms.Form):
    """A new account."""

    username = forms.CharField(label="User name", max_length=150, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    password = forms.CharField(
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        strip=False,
        help_text=" ".join(password_validators_help_texts()),
    )
    is_simulated = forms.BooleanField(
        label="Simulated",
        required=False,
        help_text="A program that plays an annotator; it is marked wherever it appears.",
    )


class PasswordForm(forms.Form):
    """A new password for somebody else's account."""

    password = forms.CharField(
        label="New password", widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}), strip=False
    )
