"""What the templates of the administration need."""

from django import template
from django.db.models import Model

from iqs_site.administration.columns import column_name
from iqs_site.administration.tables import Table, row_address

register = template.Library()


@register.simple_tag
def row_page(table: Table, row: Model) -> str:
    """Return the address of the page of the app that shows a row, or ''."""
    return row_address(table, row)


@register.filter
def column(name: object) -> str:
    """Return the name of a column in the language of the reader."""
    return column_name(str(name))
