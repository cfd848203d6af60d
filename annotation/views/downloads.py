"""Downloads of tables, streamed while the rows are read from the database."""

from collections.abc import Iterable
from typing import Any

from django.http import StreamingHttpResponse

from annotation.exchange.registry import FORMATS


def table_download(*, format_name: str, rows: Iterable[Any], file_name: str) -> StreamingHttpResponse:
    """Stream the rows in one of FORMATS. `file_name` is the name of the file without its suffix."""
    chosen = FORMATS[format_name]
    return StreamingHttpResponse(
        chosen.write(rows),
        content_type=chosen.content_type,
        headers={"Content-Disposition": f'attachment; filename="{file_name}{chosen.suffix}"'},
    )
