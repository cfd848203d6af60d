"""The URLs of the site; each app has its own `urls` module."""

from django.contrib import admin
from django.contrib.auth import views as auth_views
from django.urls import include, path
from django.views.generic import RedirectView

from annotation.views.login import LoginPage
from iqs_site import views
from iqs_site.api import urls as api_urls
from iqs_site.api_docs import api_docs

urlpatterns = [
    path("api/", api_docs, name="api-docs"),
    path("api/", api_urls()),  # first, because it gets most requests and Django tries patterns in order
    path("", views.home, name="home"),
    path("health", views.health, name="health"),
    path("ready", views.ready, name="ready"),
    path("workers", views.worker_notices, name="worker-notices"),
    path("accounts/login/", LoginPage.as_view(), name="login"),
    path("accounts/logout/", auth_views.LogoutView.as_view(), name="logout"),
    path("campaigns/<slug:slug>/", views.campaign_home, name="campaign"),
    path("campaigns/<slug:slug>/status", views.campaign_status, name="campaign-status"),
    path("campaigns/<slug:slug>/work/<slug:queue>/<slug:action>", views.campaign_work, name="campaign-work"),
    path("", include("annotation.urls")),
    path("", include("inference.urls")),
    path("", include("training.urls")),
    # Instead of Django's own page, which would keep the other sessions in the list of sessions.
    path("admin/password_change/", RedirectView.as_view(pattern_name="account")),
    path("admin/", admin.site.urls),
]
