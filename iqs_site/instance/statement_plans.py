"""Makes the database plan each statement for its values.

A statement that a connection runs often is prepared, and from the sixth time on PostgreSQL may keep one plan for all
values ('generic plan'). It then assumes an average campaign and cannot use an index of a few states: beside a campaign
of a million photos, pages of a small one took .2 to .9 s for what an index finds in .1 ms.

The statements of a claim and of a save find few rows with every value and are the most frequent. They keep their plans
(`annotation.services.kept_plans`).
"""

from typing import Any

from django.db.backends.signals import connection_created


def statements_plan() -> None:
    """From now on, let every new connection plan each statement for its values."""
    connection_created.connect(_plan_for_values)


def _plan_for_values(*, connection: Any, **kwargs: Any) -> None:
    # Not in the connection's options: a pooler refuses those that it does not know.
    with connection.cursor() as cursor:
        cursor.execute("SET plan_cache_mode = force_custom_plan")
