"""A temporary folder for tests with an embedded database."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """Yield a folder outside pytest's own.

    When root runs the tests, the database's user has to enter all parents of its data. Another test run that begins at
    the same time takes this right from pytest's folder.
    """
    with tempfile.TemporaryDirectory(prefix="iqs-t-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)
