"""Starts the process that measures a learning curve. Imports no torch, so the worker stays small."""

import subprocess
import sys

from django.conf import settings

from training.evaluation.stored_words import TOO_LONG
from training.models import LearningCurve
from training.services.learning_curves import State, curve_finish
from training.services.training_process import last_lines, process_environment


def curve_supervise(*, curve_id: int, attempt: int) -> None:
    """Start the process of a claimed curve and wait until it has ended.

    A process that runs longer than `IQS_TRAINING_SECONDS` is killed, and the curve fails. If the process fails, its
    last output lines become the message of the curve.
    """
    curve = LearningCurve.objects.get(pk=curve_id)
    curve.log.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "learning_curve"]
    command += ["--curve", str(curve_id), "--attempt", str(attempt)]
    with curve.log.open("wb") as output:
        try:
            status = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=settings.BASE_DIR,
                env=process_environment(),
                timeout=settings.IQS_TRAINING_SECONDS,
                check=False,
            ).returncode
        except subprocess.TimeoutExpired:
            limit = settings.IQS_TRAINING_SECONDS
            message = TOO_LONG % {"seconds": limit}
        else:
            message = last_lines(curve.log, status)
    # Has an effect only if the process did not end the curve itself.
    if curve_finish(curve_id=curve_id, attempt=attempt, state=State.FAILED, message=message):
        return
    curve.log.unlink(missing_ok=True)
