"""Forms for campaigns, members, users, practice and check photos, and edited answers."""

from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.password_validation import password_validators_help_texts

from annotation.access.attempts import TooManyAttempts
from annotation.access.hashers import HashingBusy
from annotation.campaign_form_texts import HELP_TEXTS, LABELS
from annotation.form_fields import PercentField, SynsetsField
from annotation.measures.class_limits import class_limits
from annotation.models import DEFAULT_SYNSETS, Annotation, Campaign, Image, Role, User
from annotation.models.campaigns import default_backbone
from annotation.services import invitations
from annotation.services.campaigns import LIMITS, STOP_FIELDS, fields_fixed, share_max_percent
from annotation.services.comments import COMMENT_LENGTH
from annotation.services.lane_registry import lane_shares_problem, lanes
from annotation.services.withdrawals import REASON_LENGTH

_EMPTY_IS_ZERO = ("retention_days", "target_half_width", "target_watch")


class CampaignForm(forms.ModelForm):
    """The settings of a campaign. `annotation.services.campaigns` checks rules between fields and saves it."""

    synsets = SynsetsField(
        label="Model classes that count as a watch",
        initial=list(DEFAULT_SYNSETS),
        help_text="ImageNet class numbers, separated by commas. Their probabilities are added up to the watch "
        "probability. Classes of watches and clocks: "
        + ", ".join(f"{index} {name}" for index, name in DEFAULT_SYNSETS.items())
        + ".",
    )
    repeat_share = PercentField(
        label="Hidden repeats (%)",
        most=share_max_percent("repeat_share"),
        initial=0,
        help_text="Share of photos that the annotator has rated before, shown again without a mark. They measure how "
        "consistent people are and add no votes. 5 % is enough for a few hundred photos per person.",
    )
    gold_share = PercentField(
        label="Gold photos (%)",
        most=share_max_percent("gold_share"),
        initial=0.05,
        help_text="Share of gold photos, shown without a mark until the annotator has seen all of them. Choose them on "
        "the page Practice and check photos. Without gold photos this setting has no effect.",
    )
    anchoring_share = PercentField(
        label="Anchoring experiment (%)",
        most=share_max_percent("anchoring_share"),
        initial=0,
        help_text="Share of photos that show the prediction before the answer, in blind campaigns too, to measure how "
        "much it influences people. These answers are not used in evaluation. 0: no experiment.",
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
            "watch_aim",
            "watch_threshold",
            "watch_miss_cost",
            "watch_misses",
            "reject_at",
            "pending_at",
            "votes_per_image",
            "holdout_votes",
            *STOP_FIELDS,
            "holdout_fraction",
            "lease_seconds",
            "repeat_share",
            "gold_share",
            "anchoring_share",
            "break_minutes",
            "backbone",
            "train_after",
            "retrain_on_drift",
            "promote_automatically",
            "promotion_rule",
            "promotion_margin",
            "decisions_as_labels",
            "remove_metadata",
            "retention_days",
        ]
        widgets = {
            "description": forms.Textarea(attrs={"rows": 3}),
            "instructions": forms.Textarea(attrs={"rows": 6}),
            "mode": forms.RadioSelect,
            "backbone": forms.RadioSelect,
            "promotion_margin": forms.NumberInput(attrs={"min": 0, "max": 0.2, "step": 0.005}),
            "watch_threshold": forms.NumberInput(attrs={"min": 0, "max": 1, "step": 0.01}),
            "reject_at": forms.NumberInput(attrs={"step": "any"}),
            "pending_at": forms.NumberInput(attrs={"step": "any"}),
            "holdout_fraction": forms.NumberInput(attrs={"min": 0, "max": 0.9, "step": 0.01}),
        }
        labels = LABELS
        help_texts = HELP_TEXTS

    GROUPS = (
        ("Campaign", ("name", "slug", "description", "instructions", "mode")),
        ("Scale and classes", ("scale_min", "scale_max", "reject_at", "pending_at")),
        ("Watches", ("synsets", "watch_aim", "watch_threshold", "watch_miss_cost", "watch_misses")),
        ("Votes", ("votes_per_image", "holdout_votes", "holdout_fraction", "lease_seconds")),
        ("Enough votes", STOP_FIELDS),
        ("Annotator quality", ("repeat_share", "gold_share", "anchoring_share", "break_minutes")),
        (
            "Training",
            (
                *("backbone", "train_after", "retrain_on_drift", "promote_automatically", "promotion_rule"),
                *("promotion_margin", "decisions_as_labels"),
            ),
        ),
        ("Privacy", ("remove_metadata", "retention_days")),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._lane_fields = {lane.name: f"lane_{lane.name}" for lane in lanes()}
        for lane in lanes():
            self.fields[self._lane_fields[lane.name]] = PercentField(
                label=f"{lane.label} (%)",
                most=100,
                initial=self.instance.lane_shares.get(lane.name, 0.0),
                help_text=lane.description,
            )
        self._prepare_limits()
        self._prepare_backbones()
        for name in _EMPTY_IS_ZERO:
            self.fields[name].required = False
        fixed = fields_fixed(self.instance) if self.instance.pk else {}
        for name, reason in fixed.items():
            if name in self.fields:
                self.fields[name].disabled = True
                self.fields[name].help_text = reason
        if self.instance.pk:
            for field in self.fields.values():
                field.show_hidden_initial = True  # for `changes`

    def _prepare_limits(self) -> None:
        """Let the class limits be empty. They follow the scale, also while it is changed on the page."""
        scale = self.instance.scale_min, self.instance.scale_max
        for name, default in zip(LIMITS, class_limits(*scale), strict=True):
            self.fields[name].required = False
            self.fields[name].widget.attrs |= {"placeholder": f"{default:g}", "data-limit": f"{default:g}"}
            if not self.instance.pk:
                self.initial.pop(name, None)
                self.fields[name].initial = None
        for name, value in zip(("scale_min", "scale_max"), scale, strict=True):
            self.fields[name].widget.attrs["data-scale"] = value

    def _prepare_backbones(self) -> None:
        """Offer the bundled backbones, that of new campaigns, and the present one."""
        others = dict.fromkeys(
            name for name in (default_backbone(), self.instance.backbone) if name not in Campaign.Backbone.values
        )
        self.fields["backbone"] = forms.ChoiceField(
            choices=[*Campaign.Backbone.choices, *((name, name) for name in others)],
            widget=forms.RadioSelect,
            initial=self.instance.backbone,
            help_text=self.fields["backbone"].help_text,
        )

    def groups(self) -> list[tuple[str, list[forms.BoundField]]]:
        """Return (heading, fields) pairs in the order of the page."""
        groups = [(heading, [self[name] for name in names]) for heading, names in self.GROUPS]
        queue = ("Order of photos", [self[name] for name in self._lane_fields.values()])
        return [*groups[:-2], queue, *groups[-2:]]

    def clean(self) -> dict[str, Any]:
        """Return the values, with `lane_shares` {lane name: share} instead of one field per lane."""
        values: dict[str, Any] = dict(self.cleaned_data)
        values |= {name: values[name] or 0 for name in _EMPTY_IS_ZERO if name in values}
        shares = {lane: values.pop(name) for lane, name in self._lane_fields.items() if name in values}
        if len(shares) == len(self._lane_fields) and (problem := lane_shares_problem(shares)):
            self.add_error(next(iter(self._lane_fields.values())), problem)
        if {"scale_min", "scale_max"} & set(self.changed_data):
            # A limit that still has its old number moves with the scale.
            values = {name: value for name, value in values.items() if name not in LIMITS or name in self.changed_data}
        return {**values, "lane_shares": {lane: share for lane, share in shares.items() if share}}

    def changes(self) -> dict[str, Any]:
        """Return the values of the fields that the person has changed, as `campaign_update` takes them.

        The page also sends the values that it showed. A field that still has this value is left out, so that saving an
        old page does not undo what another admin has changed in the meantime. Fields sent without it count as changed.
        """
        touched = {
            name for name in self.fields if self[name].html_initial_name not in self.data or name in self.changed_data
        }
        if touched & set(self._lane_fields.values()):
            touched.add("lane_shares")
        return {name: value for name, value in self.cleaned_data.items() if name in touched}

    def _post_clean(self) -> None:
        """Do not change the instance: the service checks the values and saves them."""


class MemberForm(forms.Form):
    """A user to add to a campaign, by user name."""

    username = forms.CharField(label="User name", max_length=150, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    role = forms.ChoiceField(choices=Role.choices, initial=Role.ANNOTATOR)

    def clean_username(self) -> User:
        """Return the user. Raises ValidationError when no user has this name."""
        name = self.cleaned_data["username"].strip()
        user = User.objects.filter(name_key=name).first()
        if user is None:
            raise forms.ValidationError(f"There is no user {name!r}. Superusers create accounts on the Users page.")
        return user


class InvitationForm(forms.Form):
    """An invitation link. `annotation.services.invitations` sets the limits."""

    role = forms.ChoiceField(choices=[(role.value, role.label) for role in invitations.ROLES], initial=Role.ANNOTATOR)
    places = forms.IntegerField(label="Max uses", min_value=1, max_value=invitations.MOST_PLACES, initial=1)
    days = forms.IntegerField(label="Expires after (days)", min_value=1, max_value=invitations.MOST_DAYS, initial=7)
    note = forms.CharField(
        required=False,
        max_length=120,
        help_text="Who the link is for. Only admins see this.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class AccountForm(forms.Form):
    """A new account for a person with an invitation."""

    username = forms.CharField(
        label="User name", max_length=150, widget=forms.TextInput(attrs={"autocomplete": "username"})
    )
    password = forms.CharField(
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        strip=False,
        help_text=" ".join(password_validators_help_texts()),
    )


class SpecialPhotoForm(forms.Form):
    """How a photo is used, and its expected answer. `annotation.services.special_photos` has the rules."""

    role = forms.ChoiceField(
        label="Use as",
        choices=[
            (Image.Role.PRACTICE.value, "practice: rated before the first photo that counts"),
            (Image.Role.EXAMPLE.value, "example: shown with the instructions"),
            (Image.Role.GOLD.value, "gold: shown without a mark, to check attention"),
            (Image.Role.RATED.value, "ordinary: rated like all other photos"),
        ],
    )
    expected_watch = forms.ChoiceField(
        label="Expected watch label", choices=[("", "–"), *Annotation.Watch.choices], required=False
    )
    expected_score = forms.IntegerField(label="Expected score", required=False)
    guidance = forms.CharField(
        required=False,
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Explains the expected answer, for example “Sharp, but the highlights are burnt out.” Not shown "
        "for gold photos.",
    )
    leave_evaluation = forms.BooleanField(
        label="Yes, leave this photo out of evaluation", required=False, widget=forms.CheckboxInput
    )


class WithdrawalForm(forms.Form):
    """Why a photo is withdrawn."""

    reason = forms.CharField(
        max_length=REASON_LENGTH,
        help_text="For example “The person in the photo asked for it.” Reviewers and admins see it.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class CorrectionForm(forms.Form):
    """A new answer that replaces the old one. `annotation.services.annotations` has the rules."""

    client_id = forms.UUIDField(widget=forms.HiddenInput)
    watch = forms.ChoiceField(label="Does it show a watch?", choices=Annotation.Watch.choices, widget=forms.RadioSelect)
    score = forms.IntegerField(label="How good does it look?")
    comment = forms.CharField(
        label="Comment for the campaign's admins",
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
        self.fields["score"].help_text = f"{lowest} is the worst, {highest} the best."


class UserForm(forms.Form):
    """A new account. The person sets the password with a link."""

    username = forms.CharField(label="User name", max_length=150, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    email = forms.EmailField(
        label="Email",
        required=False,
        help_text="Optional. The link that sets the password is also sent there, if the site can send email.",
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )
    is_simulated = forms.BooleanField(
        label="Simulated",
        required=False,
        help_text="A program that acts as an annotator. It is marked as simulated on every page.",
    )


class AnonymiseForm(forms.Form):
    """The user name, typed to confirm."""

    username = forms.CharField(label="User name", max_length=150, widget=forms.TextInput(attrs={"autocomplete": "off"}))

    def __init__(self, *args: Any, person: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._person = person

    def clean_username(self) -> str:
        """Return the name. Raises ValidationError when it is not the name of the person."""
        name: str = self.cleaned_data["username"]
        if name.strip() != self._person.username:
            raise forms.ValidationError("This is not the name of the account.")
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
