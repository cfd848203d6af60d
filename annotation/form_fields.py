"""Fields of forms: class numbers, and shares in percent."""

from typing import Any

from django import forms
from django.utils.translation import gettext

_CLASSES = 1000  # of ImageNet


class SynsetsField(forms.CharField):
    """ImageNet class numbers, typed with commas between them; the value is a list of integers."""

    def prepare_value(self, value: Any) -> Any:
        """Return the list as text."""
        return ", ".join(map(str, value)) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        """Return the list. Raises ValidationError for a word that is not a class number, or is listed twice."""
        text = value if isinstance(value, str) else self.prepare_value(value or [])
        synsets: list[int] = []
        for word in text.replace(",", " ").split():
            if not (word.isascii() and word.isdigit() and int(word) < _CLASSES):
                raise forms.ValidationError(
                    gettext("%(word)s is not an ImageNet class number (0 to %(classes)s).")
                    % {"word": f"{word!r}", "classes": _CLASSES - 1}
                )
            if int(word) in synsets:
                raise forms.ValidationError(gettext("%(word)s is listed twice.") % {"word": word})
            synsets.append(int(word))
        return synsets

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Return whether the lists differ; spaces and commas do not matter."""
        try:
            return bool(self.to_python(initial) != self.to_python(data))
        except forms.ValidationError:
            return True


class PercentField(forms.FloatField):
    """A share in [0, 1], shown and typed as a percentage."""

    def __init__(self, *, most: int, **kwargs: Any) -> None:
        """Offer percentages from 0 to `most`. The service checks the limits."""
        widget = forms.NumberInput(attrs={"min": 0, "max": most, "step": 1})
        super().__init__(widget=widget, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        """Return a share as a percentage. Text that somebody typed is returned unchanged."""
        return f"{100 * value:.10g}" if isinstance(value, int | float) else value

    def to_python(self, value: Any) -> Any:
        """Return the share. Raises ValidationError when the text is not a number."""
        percent = super().to_python(value)
        return None if percent is None else round(percent / 100, 12)

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Return whether the shares differ; the notation does not matter."""
        try:
            return bool(initial != self.to_python(data))
        except forms.ValidationError:
            return True
