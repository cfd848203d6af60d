"""Registers the app with Django."""

from django.apps import AppConfig


class IqsSiteConfig(AppConfig):
    name = "iqs_site"
