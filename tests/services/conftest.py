"""Fixtures for tests with an embedded database."""

from tests.own_folder import tmp_path

__all__ = ["tmp_path"]
