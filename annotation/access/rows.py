"""Rows that an address names."""

from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from django.http import Http404
from django.utils.translation import gettext

ModelT = TypeVar("ModelT", bound=Model)


def row_or_404(what: str, rows: type[ModelT] | QuerySet[ModelT], **conditions: Any) -> ModelT:
    """Return the only row that fits the conditions.

    Raises Http404 without one, with a message for the page. Django's `get_object_or_404` would put the name of the
    Python class there. `what`: what the page calls such a row, for example "photo".
    """
    queryset = rows if isinstance(rows, QuerySet) else rows._default_manager.all()
    row = queryset.filter(**conditions).first()
    if row is None:
        raise Http404(gettext("There is no such %(what)s.") % {"what": what})
    return row
