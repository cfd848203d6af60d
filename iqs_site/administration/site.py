"""The site of the administration: which tables it has, who may open it, and what its pages need from Python."""

from collections.abc import Iterable
from functools import partial
from typing import Any

from django.contrib.admin import AdminSite, ModelAdmin
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db.models.base import ModelBase
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext

from annotation.language.lazy import gettext_lazy
from iqs_site.administration import tables

#: Apps whose `admin` modules say what can be seen and changed.
OWN_APPS = frozenset({"annotation", "inference", "training"})


class AdministrationSite(AdminSite):
    """The tables that IQS registers itself, for superusers."""

    site_title = "IQS"
    site_header = index_title = gettext_lazy("Administration")
    enable_nav_sidebar = False  # the frame has the navigation

    def register(
        self,
        model_or_iterable: ModelBase | Iterable[ModelBase],
        admin_class: "type[ModelAdmin[Any]] | None" = None,
        **options: Any,
    ) -> None:
        """Leave out what other packages register: Django's groups, and the clocks of the scheduler."""
        if (admin_class or ModelAdmin).__module__.partition(".")[0] in OWN_APPS:
            super().register(model_or_iterable, admin_class, **options)

    def has_permission(self, request: HttpRequest) -> bool:
        """Return whether the person is a superuser: nobody else has rights on a table."""
        return bool(request.user.is_active and request.user.is_superuser)

    # Without the mark, LoginRequiredMiddleware would lead people here again after their login.
    @method_decorator(login_not_required)
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Send people to the login page of IQS, which limits attempts. Others than superusers get an error page."""
        if self.has_permission(request):
            return redirect("admin:index")
        if request.user.is_authenticated:
            raise PermissionDenied(gettext("Only superusers can open the administration."))
        return redirect_to_login(request.GET.get(REDIRECT_FIELD_NAME) or reverse("admin:index"))

    def each_context(self, request: HttpRequest) -> Any:
        """Return what every page needs: the groups of tables, the table of the page, and the page that does more."""
        groups = tables.groups_of(self._registry, request)
        here = next((table for group in groups for table in group.tables if table.is_here), None)
        return {
            **super().each_context(request),
            "groups": groups,
            "here": here,
            # Called by the template that shows it, because it needs a query.
            "better_page": partial(tables.better_page, here, request),
        }

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """Return no list by app: `each_context` has the tables by group. Django calls this on every page."""
        return []

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """Show the tables by group, each with the page of one campaign that does the same better."""
        campaigns, chosen = tables.campaign_choice(request.GET.get("campaign", ""))
        context = {"campaigns": campaigns, "chosen": chosen, **(extra_context or {})}
        context["overview"] = tables.overview(tables.groups_of(self._registry, request), chosen)
        return super().index(request, context)

    def app_index(  # type: ignore[override]  # django-stubs expects a template; nobody needs the tables of one app
        self, request: HttpRequest, app_label: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Lead to the index: the tables of one app are no group that people know."""
        return redirect("admin:index")
