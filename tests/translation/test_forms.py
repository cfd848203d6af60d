"""Labels, choices and hints of forms are in the language of the reader."""

import importlib
import pkgutil
from collections.abc import Iterator

from django.apps import apps
from django.contrib.auth.forms import AuthenticationForm
from django.forms import BaseForm, Field
from django.forms.utils import pretty_name
from django.utils import translation

# The same word in both languages, a name, or a field that no page shows.
_SAME = {"Name", "Person", "Backbone", "Format", "English", "Deutsch", "Preset shown", "Client id"}
# Formats of files have the names that their programs gave them.
_NAMES = {("VoteImportForm", "format")}


def _forms() -> list[type[BaseForm]]:
    """Return the forms of all apps. The login form is Django's, and its page names the fields."""
    own = [app for app in apps.get_app_configs() if not app.name.startswith("django")]
    for app in own:
        for module in pkgutil.walk_packages(app.module.__path__ if app.module else [], f"{app.name}."):
            if module.name.endswith(("forms", "_form")):
                importlib.import_module(module.name)
    names = {app.name for app in own}
    return [
        form
        for form in _below(BaseForm)
        if form.__module__.partition(".")[0] in names and not issubclass(form, AuthenticationForm)
    ]


def _below(kind: type[BaseForm]) -> Iterator[type[BaseForm]]:
    for one in kind.__subclasses__():
        yield one
        yield from _below(one)


def _words(name: str, field: Field) -> list[str]:
    choices = [] if hasattr(field, "queryset") else [str(label) for _, label in getattr(field, "choices", [])]
    label = pretty_name(name) if field.label is None else str(field.label)
    return [label, str(field.help_text or ""), str(getattr(field, "empty_label", None) or ""), *choices]


def test_forms_are_in_the_language_of_the_reader() -> None:
    forms = _forms()
    assert len(forms) > 15
    same = []
    for form in forms:
        for name, field in form.base_fields.items():
            with translation.override("en"):
                english = _words(name, field)
            with translation.override("de"):
                german = _words(name, field)
            if (form.__name__, name) not in _NAMES:
                same += [(form.__name__, name, one) for one, other in zip(english, german, strict=True) if one == other]
    assert [one for one in same if one[2] not in _SAME and any(map(str.isalpha, one[2]))] == []
