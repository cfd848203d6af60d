"""Addresses of the inference app."""

from django.urls import URLPattern

urlpatterns: list[URLPattern] = []
