"""Tables that are sent while they are read from the database."""

from collections.abc import Iterable
from typing import Any

from django.http import StreamingHttpResponse

from annotation.exchange.registry import FORMATS


def table_download(*, format_name: str, rows: Iterable[Any], file_name: str) -> StreamingHttpResponse:
    """Send the rows in one of FORMATS, as a file of this name (without its ending)."""
    chosen = FORMATS[format_name]
    return StreamingHttpResponse(
        chosen.write(rows),
        content_type=chosen.content_type,
        headers={"Content-Disposition": f'attachment; filename="{file_name}{chosen.suffix}"'},
    )
