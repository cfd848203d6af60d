"""The part of a page that says how far the installation of the models is."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe


@require_safe
def models_install(request: HttpRequest) -> HttpResponse:
    """Show how far the installation is, for everybody who is logged in; empty when everything is installed."""
    return render(request, "iqs_site/_models_install.html")
