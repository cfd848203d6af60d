"""Work that workers do. Every task takes ids, calls one service, and may run twice without harm."""

from celery import shared_task


@shared_task
def sweep() -> None:
    """Find work that nobody announced."""
