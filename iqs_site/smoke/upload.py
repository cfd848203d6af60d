"""Uploads a folder of photos in pieces, with the same requests as the script of the import page."""

from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode

from annotation.files.names import name_text
from iqs_site.demo.site_client import SiteClient, SiteError

PIECE_BYTES = 4 * 1024 * 1024
_TRIES = 5  # how often the site may ask to continue at another offset of a file


def folder_upload(client: SiteClient, slug: str, folder: Path, say: Callable[[str], None]) -> int:
    """Upload all files below the folder as one import, queue it, and return the id of its batch.

    The batch lists the files that the site rejects. Raises SiteError when the site stops answering.
    """
    files = sorted(file for file in folder.rglob("*") if file.is_file() and not file.name.startswith("."))
    places = client.post_form(f"/campaigns/{slug}/imports/start", {}).json()
    for number, file in enumerate(files):
        _file_send(client, places["file_url"], number, name_text(file.relative_to(folder)), file.read_bytes())
        if number % 50 == 49:
            say(f"{number + 1} of {len(files)} files uploaded")
    client.post_form(places["finish_url"], {})
    return int(places["page_url"].rstrip("/").rpartition("/")[2])


def _file_send(client: SiteClient, url: str, number: int, name: str, data: bytes) -> None:
    offset = 0
    for _ in range(_TRIES + len(data) // PIECE_BYTES):
        query = urlencode({"number": number, "name": name, "size": len(data), "offset": offset})
        piece = data[offset : offset + PIECE_BYTES]
        # 409: this piece or the one before it has already arrived, and the response was lost. 422: file rejected.
        response = client.put(f"{url}?{query}", piece, also=(409, 422))
        if response.status_code == 422 or (response.is_success and response.json()["complete"]):
            return
        offset = offset + len(piece) if response.is_success else int(response.json()["offset"])
    raise SiteError(f"{name} could not be uploaded: the site asked for the same piece again and again.")
