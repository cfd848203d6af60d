"""The frame around every page: navigation, search, and the link to the documentation. Builtin tags."""

import hashlib
from functools import cache
from typing import Any

from django import template
from django.conf import settings
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, to_locale

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


@register.simple_tag
def page_language() -> str:
    """Return the language of the page, for `<html lang>`: 'en' or 'de'."""
    return (get_language() or "en").partition("-")[0]


@register.simple_tag
def script_texts() -> SafeString | str:
    """Return the script with the texts of JavaScript modules. English pages need none: the modules are in English."""
    language = get_language()
    if not language or language == settings.LANGUAGE_CODE:
        return ""
    address = reverse("script-texts", args=[language])
    return format_html('<script src="{}?{}"></script>', address, _fingerprint(language))


@cache
def _fingerprint(language: str) -> str:
    """Return a part of the SHA-256 of the texts, so that browsers fetch the script again when they have changed."""
    path = settings.LOCALE_PATHS[0] / to_locale(language) / "LC_MESSAGES" / "djangojs.mo"
    return hashlib.sha256(path.read_bytes()).hexdigest()[:8] if path.exists() else ""


@register.filter
def file_name(path: str) -> str:
    """Return the last part of a path: pages do not show where the folders of the server are."""
    return path.rstrip("/").rpartition("/")[2]


def _url_name(request: Any) -> str:
    match = getattr(request, "resolver_match", None)
    return match.view_name if match else ""
