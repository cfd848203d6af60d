"""The page about changing a running campaign has a row for everything that an admin can change."""

import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from annotation.models import Campaign, Image, Invitation, Membership, User

PAGE = Path(settings.BASE_DIR) / "docs" / "how-to" / "changing-a-running-campaign.md"

# Columns that no admin changes: keys, times, counters, and what was read from a photo's file.
NEVER_CHANGED: dict[type[Any], set[str]] = {
    Membership: {"id", "campaign", "user", "joined_at"},
    User: {"id", "last_login", "date_joined"},
    Invitation: {
        *("id", "campaign", "token_sha256", "role", "note", "places", "used", "expires_at", "created_by", "created_at"),
    },
    Image: {
        *("id", "campaign", "batch", "name", "sha256", "suffix", "byte_size", "width", "height", "phash", "group"),
        *("split", "votes_needed", "decoding", "open_slots", "vote_count", "queue_position", "details", "created_at"),
    },
}


def described(heading: str) -> set[str]:
    """Return the words in backticks in the first column of the table under a heading."""
    part = PAGE.read_text().split(f"\n## {heading}\n")[1].split("\n## ")[0]
    cells = re.findall(r"^\| ([^|]*) \|", part, re.MULTILINE)
    return {word for cell in cells for word in re.findall(r"`([^`]+)`", cell)}


def test_every_field_of_a_campaign_has_a_row() -> None:
    fields = {field.name for field in Campaign._meta.concrete_fields} - {"id"}
    assert described("Settings of a campaign") == fields


@pytest.mark.parametrize("model", NEVER_CHANGED, ids=lambda model: model.__name__)
def test_every_field_of_members_accounts_and_photos_that_changes_has_a_row(model: type[Any]) -> None:
    fields = {field.name for field in [*model._meta.concrete_fields, *model._meta.many_to_many]}
    assert NEVER_CHANGED[model] <= fields, "a field of this list is gone"
    rows = {row for row in described("Members, accounts and photos") if row.startswith(f"{model.__name__}.")}
    assert rows == {f"{model.__name__}.{name}" for name in fields - NEVER_CHANGED[model]}


def test_every_setting_of_the_site_has_a_row() -> None:
    reference = (PAGE.parent.parent / "reference" / "settings.md").read_text()
    assert described("Settings of the site") == set(re.findall(r"^\| `([^`]+)`", reference, re.MULTILINE))


def test_the_page_is_linked_from_the_index() -> None:
    assert f"how-to/{PAGE.name}" in (PAGE.parent.parent / "index.md").read_text()
