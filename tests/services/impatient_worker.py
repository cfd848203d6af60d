"""The web server's worker with short times, so that tests see what happens to slow clients without a long wait."""

from iqs_site.server import worker

worker.HEAD_SECONDS = worker.BODY_SECONDS = worker.ANSWER_SECONDS = 1.0


class ImpatientWorker(worker.BufferingWorker):  # type: ignore[misc]  # gunicorn has no types
    """Waits a second."""
