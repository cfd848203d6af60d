"""Addresses with the id of a row that does not exist: the page says it in words, without names of Python classes."""

from collections.abc import Iterator

import pytest
from django.http import Http404
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from annotation.access.rows import row_or_404
from annotation.models import Campaign, User

pytestmark = pytest.mark.django_db

MISSING = 999_999_999


def _patterns(resolver: URLResolver) -> Iterator[URLPattern]:
    for entry in resolver.url_patterns:
        if isinstance(entry, URLPattern):
            yield entry
        elif entry.app_name != "admin":
            yield from _patterns(entry)


def _addresses(campaign: Campaign) -> Iterator[str]:
    for pattern in _patterns(get_resolver()):
        converters = pattern.pattern.converters
        numbers = [name for name, converter in converters.items() if type(converter).__name__ == "IntConverter"]
        if numbers and pattern.name and set(converters) <= {*numbers, "slug"}:
            values = dict.fromkeys(numbers, MISSING) | ({"slug": campaign.slug} if "slug" in converters else {})
            yield reverse(pattern.name, kwargs=values)


def test_every_page_says_in_words_that_a_row_does_not_exist(client: Client, campaign: Campaign) -> None:
    client.force_login(User.objects.create_superuser("root"))
    addresses = list(_addresses(campaign))
    assert len(addresses) > 10
    for address in addresses:
        for response in (client.get(address), client.post(address)):
            # A limit on log-ins that has ended by itself is lifted: the page says so.
            expected = {302} if address.endswith("/lift") else {404, 405}
            assert response.status_code in {*expected, 405}, address
            assert "matches the given query" not in response.content.decode(), address


def test_the_message_names_the_kind_of_row(campaign: Campaign) -> None:
    with pytest.raises(Http404, match=r"There is no such training run\."):
        row_or_404("training run", Campaign, pk=MISSING)
    assert row_or_404("campaign", Campaign.objects.all(), pk=campaign.pk) == campaign
