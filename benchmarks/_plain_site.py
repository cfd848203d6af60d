"""The baseline of the queue's load test: a small site that finds photos in the simplest way, served by gunicorn.

It counts the answers of every photo to find the next one, and it has no leases. It answers the same two requests as
the API and does less work for each: no session, no membership check, no validation, no check for answers that are
sent twice. It uses the database of DATABASE_URL. Not a benchmark.
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
# In random order, because the order of the photos should not influence the answers.
_NEXT = """
SELECT photo.id FROM plain_photo photo LEFT JOIN plain_answer answer ON answer.photo_id = photo.id
WHERE photo.id <> ALL(%s) AND photo.id NOT IN (SELECT photo_id FROM plain_answer WHERE person = %s)
GROUP BY photo.id HAVING count(answer.id) < %s ORDER BY random() LIMIT %s
"""
_SAVE = "INSERT INTO plain_answer (photo_id, person, score) VALUES (%s, %s, %s)"
_threads = threading.local()


def tables_make(photos: int) -> None:
    """Create the tables, with `photos` photos and no answers."""
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        connection.execute(TABLES)
        connection.execute("INSERT INTO plain_photo SELECT generate_series(1, %s)", [photos])
        connection.execute("ANALYZE plain_photo")


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer one request. The Cookie header identifies the person."""
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
