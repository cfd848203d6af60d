"""The sandbox of this process, with the limits of the settings."""

import threading

from django.conf import settings

from annotation.photos.sandbox import Sandbox, SandboxLimits

_lock = threading.Lock()
_sandboxes: dict[SandboxLimits, Sandbox] = {}


def site_sandbox(*, processes: int | None = None) -> Sandbox:
    """Return the sandbox of this process. `processes`: photos decoded at the same time, by default IQS_THREADS."""
    limits = SandboxLimits(
        max_bytes=settings.IQS_MAX_DECODED_BYTES,
        seconds=settings.IQS_DECODE_SECONDS,
        processes=processes or settings.IQS_THREADS,
    )
    with _lock:
        if limits not in _sandboxes:
            _sandboxes[limits] = Sandbox(limits)
        return _sandboxes[limits]
