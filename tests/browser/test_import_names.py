"""The upload page sends names as they are, however long or odd."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page

from annotation.models import Campaign, Image
from tests.browser.test_import import PATH, expect_queued, run_import
from tests.conftest import photo_bytes

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

NAMES = [
    "line\nbreak.jpg",
    "e\u0301.jpg",
    "é.jpg",
    "12:30:05.jpg",
    "back\\slash.jpg",
    "hash#1?x=%41&+.jpg",
    " sp ace .jpg",
    "rtl\u202egpj.jpg",
    "x" * 251 + ".jpg",
    "я" * 125 + ".jpg",
]


@pytest.fixture
def page(open_page: Callable[..., Any], campaign: Campaign) -> Page:
    return open_page(PATH, "ada")


def drop(page: Page, files: dict[str, bytes]) -> None:
    dropped = page.evaluate_handle(
        """(files) => {
            const data = new DataTransfer();
            for (const [name, bytes] of files) data.items.add(new File([new Uint8Array(bytes)], name));
            return data;
        }""",
        [[name, list(data)] for name, data in files.items()],
    )
    page.dispatch_event("#drop", "drop", {"dataTransfer": dropped})


def test_names_arrive_as_they_are(page: Page) -> None:
    drop(page, {name: photo_bytes(number) for number, name in enumerate(NAMES)})
    expect_queued(page)
    assert run_import().added == len(NAMES)
    assert set(Image.objects.values_list("name", flat=True)) == set(NAMES)


def test_a_name_that_is_too_long_to_be_sent_does_not_stop_the_others(page: Page) -> None:
    drop(page, {"я" * 2000: b"x", "a.jpg": photo_bytes(1)})
    expect_queued(page)
    assert run_import().added == 1
    assert list(Image.objects.values_list("name", flat=True)) == ["a.jpg"]
