"""Photo files: the original and the thumbnail. Only for members of the campaign.

By default, a campaign sends originals without metadata. They are removed in each request: that takes about a
millisecond, a browser keeps the file for good, and a second stored file would double the storage.
"""

import logging
from collections.abc import Iterator
from pathlib import PurePath
from typing import Any

from django.db.models import F
from django.http import FileResponse, Http404, HttpRequest, HttpResponseNotFound, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response
from django.utils.http import content_disposition_header
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from annotation.files.names import name_shown
from annotation.language.lazy import gettext_lazy
from annotation.models import LIVE, Image, User
from annotation.photos.decoding import CONTENT_TYPES
from annotation.photos.metadata.removal import MetadataStays, metadata_remove
from annotation.photos.storage import photo_file_open
from annotation.services.photo_files import photo_file_suspect
from annotation.token_auth import token_allowed

logger = logging.getLogger(__name__)
# In the ETag of originals without metadata. Change it when `metadata_remove` keeps more or less.
_PLAIN = "plain-1"
_PIECE = 256 * 1024  # bytes written to the connection at a time
_MISSING = gettext_lazy(
    "The file of this photo is missing from the photo storage. An admin can import the photo again, which repairs it."
)


@token_allowed
@require_safe
def original(request: HttpRequest, image_id: int) -> HttpResponseBase:
    """Send the original file: the pixels as they were imported, and by default without metadata."""
    image: Any = _visible(request, image_id)
    if image.original_deleted_at is not None:
        return _not_found(gettext("The original of this photo was deleted when its campaign's retention time ended."))
    version = f"{image.sha256}.{_PLAIN}" if image.is_plain else image.sha256
    return _file(request, image, image.photo_name, image.name, version, is_plain=image.is_plain)


@token_allowed
@require_safe
def thumbnail(request: HttpRequest, image_id: int) -> HttpResponseBase:
    """Send the thumbnail."""
    image = _visible(request, image_id)
    return _file(request, image, image.thumbnail_name, f"{image.name}.webp", f"{image.sha256}.thumb")


def _visible(request: HttpRequest, image_id: int) -> Image:
    """Return the photo with `is_plain`: whether to remove its metadata (one query).

    Raises Http404 for withdrawn photos, and for non-members, so that they cannot find out which photos exist.
    """
    images = Image.objects.filter(LIVE).only("name", "sha256", "suffix", "original_deleted_at")
    images = images.annotate(is_plain=F("campaign__remove_metadata"))
    assert isinstance(request.user, User)  # login is required everywhere
    if not request.user.is_superuser:
        images = images.filter(campaign__memberships__user=request.user)
    image = images.filter(pk=image_id).first()
    if image is None:
        raise Http404(gettext("No such photo, or you are not a member of its campaign."))
    return image


def _file(
    request: HttpRequest, image: Image, stored: str, name: str, version: str, *, is_plain: bool = False
) -> HttpResponseBase:
    """Send a file that never changes, because its name in the photo storage contains the checksum of its content."""
    etag = f'"{version}"'
    response: HttpResponseBase | None = get_conditional_response(request, etag=etag)
    if response is None:
        shown = name_shown(PurePath(name).name)  # a header has one line
        content_type = CONTENT_TYPES[PurePath(stored).suffix]
        try:
            file = photo_file_open(stored)
            if is_plain:
                with file:
                    response = _plain(file.read(), image.suffix, shown, content_type)
            else:
                response = FileResponse(file, filename=shown, content_type=content_type)
        except OSError:
            photo_file_suspect(sha256=image.sha256)
            return _not_found(_MISSING)
        except MetadataStays as error:
            logger.warning("Photo %s: %s", image.sha256, error)
            photo_file_suspect(sha256=image.sha256)
            return _not_found(
                gettext("%(error)s An admin can allow metadata in the settings of the campaign.") % {"error": error}
            )
    response.headers["ETag"] = etag
    response.headers["Cache-Control"] = "private, max-age=31536000, immutable"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def _plain(data: bytes, suffix: str, name: str, content_type: str) -> HttpResponseBase:
    """Return the response with a photo without metadata. Raises MetadataStays."""
    parts = metadata_remove(data, suffix)
    disposition = content_disposition_header(False, name)
    headers = {"Content-Length": str(sum(map(len, parts)))}
    if disposition:
        headers["Content-Disposition"] = disposition
    return StreamingHttpResponse(_pieces(parts), content_type=content_type, headers=headers)


def _pieces(parts: list[bytes | memoryview]) -> Iterator[bytes]:
    """Yield the content in pieces of similar length: small parts together, large ones cut."""
    waiting = bytearray()
    for part in parts:
        for start in range(0, len(part), _PIECE):
            waiting += part[start : start + _PIECE]
            if len(waiting) >= _PIECE:
                yield bytes(waiting)
                waiting.clear()
    if waiting:
        yield bytes(waiting)


def _not_found(sentence: str) -> HttpResponseNotFound:
    return HttpResponseNotFound(
        sentence, content_type="text/plain; charset=utf-8", headers={"Cache-Control": "no-store"}
    )
