"""The home page."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from annotation.models import User
from iqs_site.home import home as home_of


def home(request: HttpRequest) -> HttpResponse:
    """Show the user's campaigns and what to do next. Reviewers see what is due; admins whether the site is well."""
    assert isinstance(request.user, User)  # LoginRequiredMiddleware turns others away
    return render(request, "iqs_site/home.html", {"home": home_of(request.user)})
