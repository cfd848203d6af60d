"""Python's garbage collector in a process of the web server.

Most objects of a request are freed when nothing names them any more. The collector finds only those that name each
other. By default it also looks through everything that was ever imported, 300,000 objects, every few dozen requests:
one of them, and those beside it, then wait 0.1 to 0.2 s.
"""

import gc

#: Objects made and not freed before the collector looks at them; more than those of one request. Python's own is 700.
NEW_OBJECTS = 20_000


def collector_set() -> None:
    """Let the collector leave alone what is imported by now, and look seldom at the rest.

    The server calls it before it starts its processes, so that they also share the memory of what is imported.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS)
