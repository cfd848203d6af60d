"""Forms of the page "Your work": the filters of the list."""

from typing import Any

from django import forms
from django.utils.translation import gettext, gettext_lazy

from annotation.models import Annotation, Campaign
from annotation.selectors.own_history import SKIPPED, HistoryFilter

_BUTTONS = 12  # a longer scale has number fields instead of lists


def _day_field() -> forms.DateInput:
    return forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")  # browsers take no other format


class HistoryForm(forms.Form):
    """Which answers to list. Every field may be empty, and a value that is not valid is left out."""

    name = forms.CharField(
        label=gettext_lazy("Photo"), required=False, max_length=100, widget=forms.TextInput(attrs={"type": "search"})
    )
    answer = forms.ChoiceField(
        label=gettext_lazy("Answer"),
        required=False,
        choices=[("", gettext_lazy("all")), *Annotation.Watch.choices, (SKIPPED, gettext_lazy("skipped"))],
    )
    lowest = forms.IntegerField(label=gettext_lazy("Score from"), required=False)
    highest = forms.IntegerField(label=gettext_lazy("Score to"), required=False)
    since = forms.DateField(label=gettext_lazy("From"), required=False, widget=_day_field())
    until = forms.DateField(label=gettext_lazy("Until"), required=False, widget=_day_field())
    changed = forms.BooleanField(label=gettext_lazy("Changed"), required=False)
    comment = forms.BooleanField(label=gettext_lazy("With comment"), required=False)

    def __init__(self, data: Any, *, campaign: Campaign) -> None:
        """Offer the scores of the campaign as lists, or number fields for a long scale."""
        super().__init__(data, auto_id="filter-%s", label_suffix="")
        scores = [("", gettext("any")), *((score, score) for score in campaign.scores)]
        for name in ("lowest", "highest"):
            if campaign.bins <= _BUTTONS:
                self.fields[name].widget = forms.Select(choices=scores)
            else:
                limits = {"min": campaign.scale_min, "max": campaign.scale_max}
                self.fields[name].widget = forms.NumberInput(attrs=limits)

    def chosen(self) -> HistoryFilter:
        """Return the filter of all valid fields."""
        self.is_valid()
        values = self.cleaned_data
        return HistoryFilter(
            name=values.get("name", ""),
            answer=values.get("answer", ""),
            lowest=values.get("lowest"),
            highest=values.get("highest"),
            since=values.get("since"),
            until=values.get("until"),
            is_changed=values.get("changed", False),
            has_comment=values.get("comment", False),
        )
