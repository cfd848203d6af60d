"""The answers to the search, as JSON for static/js/search.js."""

from dataclasses import asdict

from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from annotation.models import User
from iqs_site.search import find


@require_safe
@never_cache
def find_json(request: HttpRequest) -> JsonResponse:
    """Return {"groups": [{"label", "items": [{"title", "note", "url"}]}]} for `?q=`, with `?campaign=` the present one.

    Only what the user may open is in it.
    """
    assert isinstance(request.user, User)  # LoginRequiredMiddleware turns others away
    groups = find(request.GET.get("q", ""), user=request.user, slug=request.GET.get("campaign", ""))
    return JsonResponse({"groups": [asdict(group) for group in groups]})
