"""The bytes of photos: the original, and a small copy for galleries."""

from django.http import HttpRequest, HttpResponse


def original(request: HttpRequest, image_id: int) -> HttpResponse:
    """Being built."""
    return HttpResponse("being built")


def thumbnail(request: HttpRequest, image_id: int) -> HttpResponse:
    """Being built."""
    return HttpResponse("being built")
