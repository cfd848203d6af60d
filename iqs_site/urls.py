"""The URLs of the site; each app has its own `urls` module."""

from django.contrib import admin
from django.contrib.auth import views as auth_views
from django.urls import include, path
from django.views.generic import RedirectView

from annotation.views.login import LoginPage
from iqs_site.api import urls as api_urls
from iqs_site.api_docs import api_docs
from iqs_site.views import campaign, docs, find, health, home, models_install
from iqs_site.views.script_texts import script_texts

urlpatterns = [
    path("api/", api_docs, name="api-docs"),
    path("api/", api_urls()),  # first, because it gets most requests and Django tries patterns in order
    path("", home.home, name="home"),
    path("find", find.find_json, name="find"),
    path("docs/", docs.docs_page, name="docs"),
    path("docs/<path:page>/", docs.docs_page, name="docs-page"),
    path("texts/<slug:language>.js", script_texts, name="script-texts"),
    path("health", health.health, name="health"),
    path("ready", health.ready, name="ready"),
    path("models-install", models_install.models_install, name="models-install"),
    path("workers", campaign.worker_notices, name="worker-notices"),
    path("accounts/login/", LoginPage.as_view(), name="login"),
    path("accounts/logout/", auth_views.LogoutView.as_view(), name="logout"),
    path("campaigns/<slug:slug>/", campaign.campaign_home, name="campaign"),
    path("campaigns/<slug:slug>/status", campaign.campaign_status, name="campaign-status"),
    path("campaigns/<slug:slug>/work/<slug:queue>/<slug:action>", campaign.campaign_work, name="campaign-work"),
    path("", include("annotation.urls")),
    path("", include("inference.urls")),
    path("", include("training.urls")),
    # Instead of Django's own page, which would keep the other sessions in the list of sessions.
    path("admin/password_change/", RedirectView.as_view(pattern_name="account")),
    path("admin/", admin.site.urls),
]

handler400 = "iqs_site.views.errors.bad_request"
handler403 = "iqs_site.views.errors.no_access"
handler404 = "iqs_site.views.errors.not_found"
