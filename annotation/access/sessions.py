"""Session store that reads the session with one SQL query (`SESSION_ENGINE`). Every request does this."""

from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends import db
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from annotation.access.current_request import current_address, current_browser

_LOAD = """
SELECT session.session_data, used.seen_at
FROM django_session session LEFT JOIN annotation_usersession used ON used.session_id = session.session_key
WHERE session.session_key = %s AND session.expire_date > %s
"""
# Only for a session and a user that exist: both may have been deleted meanwhile.
_SEEN = """
INSERT INTO annotation_usersession (session_id, user_id, browser, address, started_at, seen_at)
SELECT session.session_key, person.id, %s, %s, %s, %s
FROM django_session session, annotation_user person
WHERE session.session_key = %s AND person.id = %s
ON CONFLICT (session_id) DO UPDATE
SET browser = EXCLUDED.browser, address = EXCLUDED.address, seen_at = EXCLUDED.seen_at
"""
#: How old `UserSession.seen_at` gets before a request writes it again.
SEEN_EVERY = timedelta(minutes=5)


class SessionStore(db.SessionStore):
    """Django's database sessions. Only `load` differs: the ORM needs three times as long to build the query.

    It also writes when the session was last used, at most every five minutes.
    """

    def load(self) -> dict[str, Any]:
        """Return the session data. For a missing or expired session, return {} and clear the key."""
        now = timezone.now()
        with connection.cursor() as cursor:
            cursor.execute(_LOAD, [self.session_key, now])
            found = cursor.fetchone()
        if found is None:
            self._session_key = None
            return {}
        data, seen_at = self.decode(found[0]), found[1]
        if SESSION_KEY in data and (seen_at is None or now - seen_at > SEEN_EVERY):
            self.seen(data[SESSION_KEY], now)
        return data

    def seen(self, user_id: str | int, now: datetime) -> None:
        """Store that the user has used this session."""
        values = [current_browser(), current_address(), now, now, self.session_key, int(user_id)]
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(_SEEN, values)
        except IntegrityError:
            pass  # somebody has just ended the session
