"""Downloads of tables, streamed while the rows are read from the database."""

from collections.abc import Iterable
from typing import Any

from django.http import StreamingHttpResponse

from annotation.exchange.registry import FORMATS
from annotation.models import AuditKind, Campaign
from annotation.services.audit import audit_record


def table_download(
    *, format_name: str, rows: Iterable[Any], file_name: str, campaign: Campaign | None
) -> StreamingHttpResponse:
    """Stream the rows in one of FORMATS, and record the export.

    `file_name` is the name of the file without its suffix. `campaign`: whose rows they are, None for the whole site.
    """
    chosen = FORMATS[format_name]
    audit_record(kind=AuditKind.EXPORT, campaign=campaign, what=f"{file_name}{chosen.suffix}")
    return StreamingHttpResponse(
        chosen.write(rows),
        content_type=chosen.content_type,
        headers={"Content-Disposition": f'attachment; filename="{file_name}{chosen.suffix}"'},
    )
