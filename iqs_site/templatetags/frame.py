"""The frame around every page: navigation, search, and the link to the documentation. Builtin tags."""

from typing import Any

from django import template
from django.urls import reverse

from iqs_site.instance.models_install import ModelsInstall
from iqs_site.instance.models_install import models_install as _models_install
from iqs_site.navigation import SITE_PAGES, Navigation, SitePage, docs_of, navigation

register = template.Library()


@register.simple_tag(takes_context=True)
def campaign_navigation(context: Any) -> Navigation:
    """Return the navigation of the request's campaign."""
    request = context["request"]
    return navigation(request.campaign, request.campaign_role, _url_name(request))


@register.simple_tag(takes_context=True)
def help_url(context: Any) -> str:
    """Return the address of the documentation that explains the page, or of its start."""
    page = docs_of(_url_name(context.get("request")))
    return reverse("docs-page", args=[page]) if page else reverse("docs")


@register.simple_tag
def models_install() -> ModelsInstall | None:
    """Return how far the installation of the models is, or None if everything is installed."""
    return _models_install()


@register.simple_tag(takes_context=True)
def site_pages(context: Any) -> list[SitePage]:
    """Return the pages for the menu of the user: those that belong to no campaign, without the home page."""
    user = context["user"]
    return [page for page in SITE_PAGES if page.url_name != "home" and page.may_open(user)]


@register.filter
def file_name(path: str) -> str:
    """Return the last part of a path: pages do not show where the folders of the server are."""
    return path.rstrip("/").rpartition("/")[2]


def _url_name(request: Any) -> str:
    match = getattr(request, "resolver_match", None)
    return match.view_name if match else ""
