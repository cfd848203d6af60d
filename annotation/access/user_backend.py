"""Authentication backend that loads the user with one SQL query in every request (`AUTHENTICATION_BACKENDS`)."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.db import connection

from annotation.models import User

# Fields that most requests need. Django loads the others when they are used.
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
    "time_zone",
    "theme",
}
# In the order of the model, as `from_db` needs them.
_COLUMNS = [field.attname for field in User._meta.concrete_fields if field.attname in _WANTED]
_LOAD = f"SELECT {', '.join(_COLUMNS)} FROM annotation_user WHERE id = %s"  # noqa: S608  # made of constants


class Backend(ModelBackend):
    """Django's backend for user name and password. Only loading a user who is logged in differs."""

    def get_user(self, user_id: Any) -> User | None:
        """Return the user, or None when the user does not exist or is deactivated."""
        with connection.cursor() as cursor:
            cursor.execute(_LOAD, [user_id])
            found = cursor.fetchone()
        if found is None:
            return None
        user: User = User.from_db(connection.alias, _COLUMNS, found)
        return user if self.user_can_authenticate(user) else None
