"""The health checks for load balancers, the supervisor and monitoring."""

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import InterfaceError, OperationalError, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from annotation.services.disk_space import disks_low
from iqs_site.workers import broker_alive

_NO_DATABASE = {"ok": False, "detail": "The database does not answer."}


@login_not_required
def health(request: HttpRequest) -> JsonResponse:
    """Return 200 when the database answers, else 503. For load balancers and the supervisor."""
    if not _database_answers():
        return JsonResponse(_NO_DATABASE, status=503)
    return JsonResponse({"ok": True})


@login_not_required
@require_safe
def ready(request: HttpRequest) -> JsonResponse:
    """Return 200 when the site can serve people, else 503, with a list of warnings. For monitoring.

    A warning does not change the status: with a full disk or without a broker, people can still work.
    """
    if not _database_answers():
        return JsonResponse(_NO_DATABASE | {"warnings": []}, status=503)
    kept = int(settings.IQS_LOW_DISK_BYTES // 1024**2)
    warnings = [
        f"{disk.free_megabytes} MB are left on the disk of {', '.join(disk.contents)}. With less than "
        f"{kept} MB, new photos are refused."
        for disk in disks_low()
    ]
    if not broker_alive():
        warnings.append("The broker does not answer. Jobs wait in the database.")
    return JsonResponse({"ok": True, "warnings": warnings})


def _database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except (OperationalError, InterfaceError):  # no server, or the connection is lost
        return False
    return True
