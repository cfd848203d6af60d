"""The form that imports a file of votes."""

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext, gettext_lazy

from annotation.exchange.registry import READERS


class VoteImportForm(forms.Form):
    """A file of votes and what to know about it."""

    format = forms.ChoiceField(
        label=gettext_lazy("Format"), choices=lambda: [(one.name, gettext(one.label)) for one in READERS.values()]
    )
    file = forms.FileField(label=gettext_lazy("File"))
    lowest = forms.IntegerField(
        label=gettext_lazy("Lowest score in the file"),
        required=False,
        min_value=0,
        max_value=1000,
        help_text=gettext_lazy("Empty: the scale of the format, or that of the campaign."),
    )
    highest = forms.IntegerField(
        label=gettext_lazy("Highest score in the file"), required=False, min_value=1, max_value=1000
    )
    leaves_out_unknown = forms.BooleanField(
        label=gettext_lazy("Leave out votes on photos that this campaign does not have"), required=False
    )
    is_simulated = forms.BooleanField(label=gettext_lazy("Programs gave the votes, not people"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Say how large a file may be."""
        super().__init__(*args, **kwargs)
        most = settings.IQS_MAX_FILE_BYTES // 1024**2
        self.fields["file"].help_text = gettext(
            "At most %(most)s MB. Larger files: by the command import_votes on the server."
        ) % {"most": most}

    def clean(self) -> dict[str, Any]:
        """Return the values with `scale`: None, or the lowest and the highest score."""
        values = super().clean() or self.cleaned_data
        lowest, highest = values.get("lowest"), values.get("highest")
        if (lowest is None) != (highest is None) and not {"lowest", "highest"} & set(self.errors):
            self.add_error("highest" if highest is None else "lowest", gettext("Give both ends of the scale, or none."))
        scale = None if lowest is None or highest is None else (lowest, highest)
        if scale is not None and scale[0] >= scale[1]:
            self.add_error("highest", gettext("The highest score must be above the lowest."))
        return values | {"scale": scale}
