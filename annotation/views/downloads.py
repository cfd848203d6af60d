"""Downloads of tables, streamed while the rows are read from the database."""

from collections.abc import Iterable
from typing import Any

from django.http import HttpRequest, StreamingHttpResponse

from annotation.exchange.registry import FORMATS
from annotation.models import AuditKind, Campaign
from annotation.services.audit import audit_record

EXCEL = "excel"  # the query parameter that asks for a byte order mark


def table_download(
    request: HttpRequest, *, format_name: str, rows: Iterable[Any], file_name: str, campaign: Campaign | None
) -> StreamingHttpResponse:
    """Stream the rows in one of FORMATS, and record the export.

    `file_name` is the name of the file without its suffix. `campaign`: whose rows they are, None for the whole site.
    With `?excel=1` the file begins with a byte order mark, so that Excel reads its letters correctly.
    """
    chosen = FORMATS[format_name]
    audit_record(kind=AuditKind.EXPORT, campaign=campaign, what=f"{file_name}{chosen.suffix}")
    return StreamingHttpResponse(
        chosen.write(rows, for_excel=bool(request.GET.get(EXCEL))),
        content_type=chosen.content_type,
        headers={"Content-Disposition": f'attachment; filename="{file_name}{chosen.suffix}"'},
    )
