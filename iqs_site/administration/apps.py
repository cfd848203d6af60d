"""Registers Django's administration with the site of IQS."""

from django.contrib.admin.apps import AdminConfig


class AdministrationConfig(AdminConfig):
    default_site = "iqs_site.administration.site.AdministrationSite"
