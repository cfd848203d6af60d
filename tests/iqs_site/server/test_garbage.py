"""No request of the web server waits for the garbage collector to look through everything that was imported."""

import subprocess
import sys

from iqs_site.server.garbage import NEW_OBJECTS

_CODE = """
import gc
import iqs_site.wsgi
print(gc.get_freeze_count(), len(gc.get_objects()), *gc.get_threshold())
"""


def test_the_collector_leaves_alone_what_the_server_has_imported() -> None:
    finished = subprocess.run([sys.executable, "-c", _CODE], capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    left_alone, looked_at, newest, *older = map(int, finished.stdout.split())
    assert left_alone > 50_000
    assert looked_at < 5_000
    assert (newest, older) == (NEW_OBJECTS, [10, 10])
