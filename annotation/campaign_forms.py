"""Forms for a new campaign and for the settings of a campaign."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.text import format_lazy
from django.utils.translation import gettext

from annotation.campaign_form_texts import HELP_TEXTS, LABELS
from annotation.form_fields import PercentField, SynsetsField
from annotation.lane_share_fields import LaneShareFields
from annotation.language.lazy import gettext_lazy
from annotation.measures.class_limits import class_limits
from annotation.models import DEFAULT_SYNSETS, Campaign
from annotation.models.campaigns import default_backbone
from annotation.services.campaign_presets import INSTRUCTIONS, PURPOSES, SCALES, settings_of
from annotation.services.campaigns import (
    LIMITS,
    SHARES,
    STOP_FIELDS,
    campaign_problems,
    campaign_slug,
    fields_fixed,
    share_max_percent,
)

_EMPTY_IS_ZERO = ("retention_days", "target_half_width", "target_watch")


@dataclass(frozen=True)
class FieldGroup:
    """Fields under one heading."""

    heading: str
    fields: list[forms.BoundField]
    is_queue: bool = False
    """Its fields are the shares of the lanes."""

    @property
    def anchor(self) -> str:
        """Return the id of the group on the page."""
        return f"group-{self.heading.lower().replace(' ', '-')}"

    @property
    def has_errors(self) -> bool:
        """Return whether one of its fields has an error."""
        return any(field.errors for field in self.fields)


class CampaignForm(forms.ModelForm):
    """The settings of a campaign. `annotation.services.campaigns` checks rules between fields and saves it."""

    synsets = SynsetsField(
        label=gettext_lazy("Model classes that count as a watch"),
        initial=list(DEFAULT_SYNSETS),
        help_text=gettext_lazy(
            "The backbone knows 1,000 kinds of things. The probabilities of those that you choose add up to the "
            "watch probability. New campaigns have the five kinds of watches and clocks."
        ),
    )
    repeat_share = PercentField(
        label=gettext_lazy("Hidden repeats (%)"),
        most=share_max_percent("repeat_share"),
        initial=0,
        help_text=gettext_lazy(
            "Share of photos that the annotator has rated before, shown again without a mark. They measure how "
            "consistent people are and add no votes. 5 % is enough for a few hundred photos per person."
        ),
    )
    gold_share = PercentField(
        label=gettext_lazy("Gold photos (%)"),
        most=share_max_percent("gold_share"),
        initial=0.05,
        help_text=gettext_lazy(
            "Share of gold photos, shown without a mark until the annotator has seen all of them. Choose them on "
            "the page Practice and check photos. Without gold photos this setting has no effect."
        ),
    )
    anchoring_share = PercentField(
        label=gettext_lazy("Anchoring experiment (%)"),
        most=share_max_percent("anchoring_share"),
        initial=0,
        help_text=gettext_lazy(
            "Share of photos that show the prediction before the answer, in blind campaigns too, to measure how "
            "much it influences people. These answers are not used in evaluation. 0: no experiment."
        ),
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

    GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
        (gettext_lazy("Campaign"), ("name", "slug", "description", "instructions", "mode")),
        (gettext_lazy("Scale and classes"), ("scale_min", "scale_max", "reject_at", "pending_at")),
        (gettext_lazy("Watches"), ("synsets", "watch_aim", "watch_threshold", "watch_miss_cost", "watch_misses")),
        (gettext_lazy("Votes"), ("votes_per_image", "holdout_votes", "holdout_fraction", "lease_seconds")),
        (gettext_lazy("Enough votes"), STOP_FIELDS),
        (gettext_lazy("Annotator quality"), ("repeat_share", "gold_share", "anchoring_share", "break_minutes")),
        (
            gettext_lazy("Training"),
            (
                *("backbone", "train_after", "retrain_on_drift", "promote_automatically", "promotion_rule"),
                *("promotion_margin", "decisions_as_labels"),
            ),
        ),
        (gettext_lazy("Privacy"), ("remove_metadata", "retention_days")),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lane_fields = LaneShareFields(self, self.instance.lane_shares)
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

    #: Fields that the page shows before the groups.
    FIRST: tuple[str, ...] = ()

    def groups(self) -> list[FieldGroup]:
        """Return the groups of fields in the order of the page, without those of `FIRST`."""
        groups = [
            FieldGroup(heading, [self[one] for one in names if one not in self.FIRST]) for heading, names in self.GROUPS
        ]
        queue = FieldGroup(
            gettext("Order of photos"), [*self.lane_fields.first, *self.lane_fields.others], is_queue=True
        )
        return [*groups[:-2], queue, *groups[-2:]]

    def wrong_fields(self) -> list[forms.BoundField]:
        """Return the fields with errors in the order of the page, for the summary above the form."""
        names = [*self.FIRST, *(field.name for group in self.groups() for field in group.fields)]
        names += [name for name in self.fields if name not in names]
        in_order = [self[name] for name in names]
        return [field for field in in_order if field.errors]

    def clean(self) -> dict[str, Any]:
        """Return the values, with `lane_shares` {lane name: share} instead of one field per lane."""
        values: dict[str, Any] = dict(self.cleaned_data)
        values |= {name: values[name] or 0 for name in _EMPTY_IS_ZERO if name in values}
        values = self.lane_fields.cleaned(values)
        if {"scale_min", "scale_max"} & set(self.changed_data):
            # A limit that still has its old number moves with the scale.
            values = {name: value for name, value in values.items() if name not in LIMITS or name in self.changed_data}
        return values

    def changes(self) -> dict[str, Any]:
        """Return the values of the fields that the person has changed, as `campaign_update` takes them.

        The page also sends the values that it showed. A field that still has this value is left out, so that saving an
        old page does not undo what another admin has changed in the meantime. Fields sent without it count as changed.
        """
        touched = {
            name for name in self.fields if self[name].html_initial_name not in self.data or name in self.changed_data
        }
        if touched & set(self.lane_fields.names.values()):
            touched.add("lane_shares")
        return {name: value for name, value in self.cleaned_data.items() if name in touched}

    def _post_clean(self) -> None:
        """Add the problems that the service would find, so that the page shows all at once.

        The instance does not change: the service saves the values.
        """
        for name, problems in campaign_problems(self.instance, self.cleaned_data).items():
            if name in self.fields and name not in self.errors and not (name == "slug" and "name" in self.errors):
                self.add_error(name, problems)


class NewCampaignForm(CampaignForm):
    """A new campaign in four fields. All others have good values, and are under 'Advanced'.

    The address comes from the name, the class limits from the scale, and the settings from the purpose. Without
    JavaScript the server does this; with it, the page shows the values before they are sent.
    """

    FIRST = ("name", "purpose", "scale", "instructions")
    _OTHER = "other"
    _LIKE = "like"

    purpose = forms.ChoiceField(label=gettext_lazy("What is it for?"), required=False, widget=forms.RadioSelect)
    scale = forms.ChoiceField(
        label=gettext_lazy("Scale of the scores"),
        required=False,
        widget=forms.RadioSelect,
        choices=[
            *(
                (f"{low}-{high}", format_lazy(gettext_lazy("{low} to {high}"), low=low, high=high))
                for low, high in SCALES
            ),
            (_OTHER, gettext_lazy("another one")),
        ],
    )
    preset_shown = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, data: QueryDict | None = None, *, like: Campaign | None = None) -> None:
        """like: the campaign whose settings it has before anybody changes one."""
        self.like = like
        campaign = Campaign(**settings_of(like)) if like else Campaign(instructions=gettext(INSTRUCTIONS))
        super().__init__(data, instance=campaign)
        self.purposes = [(one.name, one.label, one.description) for one in PURPOSES]
        if like is not None:
            self.purposes.insert(
                0,
                (
                    self._LIKE,
                    gettext("The same as %(name)s") % {"name": like.name},
                    gettext("All settings as they are there."),
                ),
            )
        self.fields["purpose"].choices = [(name, label) for name, label, _ in self.purposes]  # type: ignore[attr-defined]
        scale = f"{campaign.scale_min}-{campaign.scale_max}"
        known = dict(self.fields["scale"].choices)  # type: ignore[attr-defined]
        begin = self.purposes[0][0]
        self.initial.update(purpose=begin, preset_shown=begin, scale=scale if scale in known else self._OTHER)
        self.fields["name"].widget.attrs["autofocus"] = True
        self.fields["instructions"].widget.attrs["rows"] = 4
        self.fields["slug"].required = False
        self.fields["slug"].widget.attrs["placeholder"] = gettext("from the name")
        for name in ("scale_min", "scale_max"):
            self.fields[name].required = False
            self.fields[name].help_text = ""
        if like is not None:
            self._limits_of(like)
        if data is not None:
            self.data = self._completed(data)

    GROUPS = tuple(
        (heading, tuple(name for name in names if name not in ("scale_min", "scale_max")))
        for heading, names in CampaignForm.GROUPS
    )

    @property
    def advanced_has_errors(self) -> bool:
        """Return whether a field of the fold has an error."""
        return any(group.has_errors for group in self.groups())

    def presets(self) -> dict[str, dict[str, str]]:
        """Return {purpose: {field: value as the page shows it}}."""
        shown: dict[str, dict[str, str]] = {}
        for one in PURPOSES:
            values = {
                name: f"{100 * value:.10g}"
                if name in SHARES
                else f"{value:g}"
                if isinstance(value, float)
                else str(value)
                for name, value in one.settings.items()
                if name != "lane_shares"
            }
            shown[one.name] = values | self.lane_fields.values(one.settings["lane_shares"])
        return shown

    def clean(self) -> dict[str, Any]:
        """Return the values of the campaign: with the settings of the purpose, the scale by name, and an address."""
        values = super().clean()
        purpose, shown = values.pop("purpose", ""), values.pop("preset_shown", "")
        if purpose and shown != purpose:  # the page could not show these values, so nobody has changed them
            for one in PURPOSES:
                if one.name == purpose:
                    values |= one.settings
        scale = values.pop("scale", "")
        if scale and scale != self._OTHER:
            values["scale_min"], values["scale_max"] = map(int, scale.split("-"))
        else:
            for name in ("scale_min", "scale_max"):
                if values.get(name) is None and name not in self.errors:
                    values[name] = getattr(self.instance, name)
        if "slug" not in self.errors and not values.get("slug") and values.get("name"):
            values["slug"] = campaign_slug(values["name"])
        return values

    def _limits_of(self, like: Campaign) -> None:
        """Show the limits of the other campaign if they are not the defaults of its scale."""
        for name, default in zip(LIMITS, class_limits(like.scale_min, like.scale_max), strict=True):
            value = getattr(like, name)
            if value != default:
                self.initial[name] = value

    def _completed(self, data: QueryDict) -> QueryDict:
        """Return what was sent, and for each field that was not sent the value of a new campaign."""
        completed = data.copy()
        is_folded = "holdout_fraction" not in data  # then the checkboxes were not sent either
        for name, field in self.fields.items():
            if name in data or name in ("purpose", "scale", "preset_shown") or name in self.FIRST:
                continue
            value = self[name].initial
            if isinstance(field, forms.BooleanField):
                if is_folded and value:
                    completed[name] = "on"
            elif value is not None:
                completed[name] = str(field.prepare_value(value))
        return completed


class DuplicateForm(forms.Form):
    """A new campaign with the settings of another one. It is on the page of the settings, so its ids differ."""

    def __init__(self, data: QueryDict | None = None, initial: dict[str, Any] | None = None) -> None:
        super().__init__(data, initial=initial, auto_id="copy_%s")

    name = forms.CharField(label=gettext_lazy("Name of the new campaign"), max_length=120)
    with_texts = forms.BooleanField(label=gettext_lazy("Description and instructions"), required=False, initial=True)
    with_members = forms.BooleanField(label=gettext_lazy("Members with their roles"), required=False)
    with_special_photos = forms.BooleanField(label=gettext_lazy("Practice, example and gold photos"), required=False)
