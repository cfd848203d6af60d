"""The documentation inside the app: the pages of docs/, for everybody who is logged in."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from iqs_site import documentation


@require_safe
def docs_page(request: HttpRequest, page: str = documentation.INDEX) -> HttpResponse:
    """Show a page of the documentation. Raises Http404."""
    shown = documentation.docs_page(page)
    if shown is None:
        raise Http404("The documentation has no such page. The search finds pages by their headings.")
    return render(request, "iqs_site/docs.html", {"page": shown, "areas": documentation.areas()})
