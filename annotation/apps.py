"""Registers the app with Django."""

from django.apps import AppConfig


class AnnotationConfig(AppConfig):
    name = "annotation"
