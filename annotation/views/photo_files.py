"""Photo files: the original and the thumbnail. Only for members of the campaign."""

from pathlib import PurePath

from django.http import FileResponse, Http404, HttpRequest, HttpResponseNotFound
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_safe

from annotation.files.names import name_shown
from annotation.models import Image, User
from annotation.photos.decoding import CONTENT_TYPES
from annotation.photos.storage import photo_file_open
from annotation.services.photo_files import photo_file_suspect
from annotation.token_auth import token_allowed


@token_allowed
@require_safe
def original(request: HttpRequest, image_id: int) -> HttpResponseBase:
    """Send the original file, byte for byte as it was imported."""
    image = _visible(request, image_id)
    return _file(request, image, image.photo_name, image.name, image.sha256)


@token_allowed
@require_safe
def thumbnail(request: HttpRequest, image_id: int) -> HttpResponseBase:
    """Send the thumbnail."""
    image = _visible(request, image_id)
    return _file(request, image, image.thumbnail_name, f"{image.name}.webp", f"{image.sha256}.thumb")


def _visible(request: HttpRequest, image_id: int) -> Image:
    """Return the photo (one query). Raises Http404 for non-members, so that they cannot find out which photos exist."""
    images = Image.objects.only("name", "sha256", "suffix")
    assert isinstance(request.user, User)  # login is required everywhere
    if not request.user.is_superuser:
        images = images.filter(campaign__memberships__user=request.user)
    image = images.filter(pk=image_id).first()
    if image is None:
        raise Http404("No such photo, or you are not a member of its campaign.")
    return image


def _file(request: HttpRequest, image: Image, stored: str, name: str, version: str) -> HttpResponseBase:
    """Send a file that never changes, because its name in the photo storage contains the checksum of its content."""
    etag = f'"{version}"'
    response: HttpResponseBase | None = get_conditional_response(request, etag=etag)
    if response is None:
        try:
            file = photo_file_open(stored)
        except OSError:
            photo_file_suspect(sha256=image.sha256)
            return HttpResponseNotFound(
                "The file of this photo is missing from the photo storage. An admin can import the photo again, which "
                "repairs it.",
                content_type="text/plain; charset=utf-8",
                headers={"Cache-Control": "no-store"},
            )
        shown = name_shown(PurePath(name).name)  # a header has one line
        response = FileResponse(file, filename=shown, content_type=CONTENT_TYPES[PurePath(stored).suffix])
    response.headers["ETag"] = etag
    response.headers["Cache-Control"] = "private, max-age=31536000, immutable"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
