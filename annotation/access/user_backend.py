"""Who a request comes from, by one plain query: every request asks it (`AUTHENTICATION_BACKENDS`)."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.db import connection

from annotation.models import User

# What pages and permissions ask of the person in front of them; anything else is loaded when somebody does.
_WANTED = {
    "id",
    "password",
    "username",
    "first_name",
    "last_name",
    "is_active",
    "is_staff",
    "is_superuser",
    "is_simulated",
}
# In the model's order, as `from_db` takes them.
_COLUMNS = [field.attname for field in User._meta.concrete_fields if field.attname in _WANTED]
_LOAD = f"SELECT {', '.join(_COLUMNS)} FROM annotation_user WHERE id = %s"  # noqa: S608  # made of constants


class Backend(ModelBackend):
    """Django's own, by name and password, but for the reading of somebody who is logged in already."""

    def get_user(self, user_id: Any) -> User | None:
        """Return the user, or None for one who does not exist or may not log in any more."""
        with connection.cursor() as cursor:
            cursor.execute(_LOAD, [user_id])
            found = cursor.fetchone()
        if found is None:
            return None
        user: User = User.from_db(connection.alias, _COLUMNS, found)
        return user if self.user_can_authenticate(user) else None
