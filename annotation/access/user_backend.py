"""Authentication backend that loads the user with one SQL query in every request (`AUTHENTICATION_BACKENDS`).

It also limits the attempts to log in.
"""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.db import connection
from django.http import HttpRequest

from annotation.access.addresses import client_address
from annotation.access.attempts import TooManyAttempts, login_return, login_take
from annotation.access.hashers import HashingBusy
from annotation.models import User
from annotation.signals import login_locked

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
    "language",
}
# In the order of the model, as `from_db` needs them.
_COLUMNS = [field.attname for field in User._meta.concrete_fields if field.attname in _WANTED]
_LOAD = f"SELECT {', '.join(_COLUMNS)} FROM annotation_user WHERE id = %s"  # noqa: S608  # made of constants


class Backend(ModelBackend):
    """Django's backend for user name and password, with a limit on attempts and another way to load the user."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> Any:
        """Return the user with this name and password, or None.

        Raises TooManyAttempts and HashingBusy. Without a request, as in tests and commands, attempts are not limited.
        """
        name = username if username is not None else kwargs.get(User.USERNAME_FIELD)
        if request is None or name is None or password is None:
            return super().authenticate(request, username=username, password=password, **kwargs)
        address = client_address(request)
        try:
            login_take(name=name, address=address)
        except TooManyAttempts:
            login_locked.send(sender=type(self), username=name)
            raise
        try:
            user = super().authenticate(request, username=username, password=password, **kwargs)
        except HashingBusy:
            login_return(name=name, address=address, is_success=False)
            raise
        if user is not None:
            login_return(name=name, address=address, is_success=True)
        return user

    def get_user(self, user_id: Any) -> User | None:
        """Return the user, or None when the user does not exist or is deactivated."""
        with connection.cursor() as cursor:
            cursor.execute(_LOAD, [user_id])
            found = cursor.fetchone()
        if found is None:
            return None
        user: User = User.from_db(connection.alias, _COLUMNS, found)
        return user if self.user_can_authenticate(user) else None
