"""The straightforward way to hand out photos, to compare with: a small site of its own, served by gunicorn.

The next photo is found by counting the answers of every photo, and nothing is leased in between. It speaks the same
two requests as the API, and does less with each than a real site: no session, no membership, no validation, no receipt
for an answer that is sent twice. DATABASE_URL names its database. No benchmark itself.
"""

import json
import os
import threading
from collections.abc import Callable, Iterable
from typing import Any

import psycopg

VOTES = 3
TABLES = """
DROP TABLE IF EXISTS plain_answer, plain_photo;
CREATE TABLE plain_photo (id bigserial PRIMARY KEY);
CREATE TABLE plain_answer (
  id bigserial PRIMARY KEY, photo_id bigint NOT NULL REFERENCES plain_photo, person text NOT NULL, score int NOT NULL
);
CREATE INDEX ON plain_answer (photo_id);
CREATE INDEX ON plain_answer (person);
"""
# In random order, as people's answers should not depend on that of the files.
_NEXT = """
SELECT photo.id FROM plain_photo photo LEFT JOIN plain_answer answer ON answer.photo_id = photo.id
WHERE photo.id <> ALL(%s) AND photo.id NOT IN (SELECT photo_id FROM plain_answer WHERE person = %s)
GROUP BY photo.id HAVING count(answer.id) < %s ORDER BY random() LIMIT %s
"""
_SAVE = "INSERT INTO plain_answer (photo_id, person, score) VALUES (%s, %s, %s)"
_threads = threading.local()


def tables_make(photos: int) -> None:
    """Begin with that many photos and no answers."""
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        connection.execute(TABLES)
        connection.execute("INSERT INTO plain_photo SELECT generate_series(1, %s)", [photos])
        connection.execute("ANALYZE plain_photo")


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer one request; the session cookie is the name of the person."""
    asked = json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
    person = environ["HTTP_COOKIE"]
    if not hasattr(_threads, "connection"):
        _threads.connection = psycopg.connect(os.environ["DATABASE_URL"], autocommit=True)
    if environ["PATH_INFO"].endswith("/leases"):
        rows = _threads.connection.execute(_NEXT, [asked["known"], person, VOTES, asked["count"]]).fetchall()
        answer: dict[str, Any] = {"leases": [{"image_id": photo, "lease_id": None} for (photo,) in rows]}
    else:
        _threads.connection.execute(_SAVE, [asked["image_id"], person, asked["score"]])
        answer = {"saved": True}
    body = json.dumps(answer).encode()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]
