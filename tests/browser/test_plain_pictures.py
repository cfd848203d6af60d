"""Chromium shows the same pixels with and without metadata."""

from pathlib import PurePath
from typing import Any

import numpy as np
import pytest

from annotation.photos.metadata.removal import metadata_remove
from tests.annotation.photos.metadata.test_removal import GROUPS, pixels
from tests.browser.shown_pictures import shown_by

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("group", GROUPS)
def test_chromium_shows_the_same_picture_without_metadata(browser: Any, group: str) -> None:
    files = {name: data for name, data in GROUPS[group]().items() if pixels(data) is not None}
    plain = {name: b"".join(metadata_remove(data, PurePath(name).suffix)) for name, data in files.items()}
    before, after = shown_by(browser, files), shown_by(browser, plain)
    shown = {name for name, picture in before.items() if picture is not None}
    assert shown
    assert [name for name in sorted(shown) if not np.array_equal(before[name], after[name])] == []  # type: ignore[arg-type]
