"""A pytest plugin that prepares the test run: its temporary folder, and a PostgreSQL before Django reads its settings.

pyproject.toml loads it with `-p`, because pytest-django loads the settings before any conftest.py. Workers of
pytest-xdist inherit the variables and share the server; each has its own test database.
"""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

_made_here = "IQS_VAR" not in os.environ
if _made_here:
    os.environ["IQS_VAR"] = tempfile.mkdtemp(prefix="iqs-test-")
_folder = Path(os.environ["IQS_VAR"])
os.environ.setdefault("IQS_PRECISION", "int8")  # programs that tests start do not measure which file is faster
os.environ.setdefault("IQS_BACKBONE", "efficientnet_lite0")  # new campaigns of tests: the faster one
os.environ.setdefault("SECRET_KEY", "only for tests, which have no secrets")

if "PYTEST_DEBUG_TEMPROOT" not in os.environ:
    # Pytest makes the folder of a user's temporary folders private again whenever one of his runs starts. A server that
    # works in it as another user is then locked out in the middle of a test: so each run has a folder of its own.
    os.environ["PYTEST_DEBUG_TEMPROOT"] = tempfile.mkdtemp(prefix="iqs-t-")
    atexit.register(shutil.rmtree, os.environ["PYTEST_DEBUG_TEMPROOT"], ignore_errors=True)
if _made_here:
    # Handlers run in reverse order: this one is registered before the server's, so it runs after the server stopped.
    atexit.register(shutil.rmtree, _folder, ignore_errors=True)
if "DATABASE_URL" not in os.environ:
    from iqs_site.instance import embedded

    os.environ["DATABASE_URL"] = embedded.postgres_attach(_folder)
