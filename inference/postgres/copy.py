"""Read and write arrays of numbers with PostgreSQL's binary COPY, without a Python object per row.

If all rows have the same length, the whole stream is an array of records.
Source: PostgreSQL documentation, COPY, "Binary Format"; the arrays as `array_recv` reads them.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from django.db import connection
from numpy.typing import NDArray
from psycopg import sql

_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TRAILER = b"\xff\xff"
_FLOAT8 = 701  # the type's oid, fixed for all servers


def vectors_read(feature_ids: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.float16]]:
    """Return image ids [M] and vectors [M, D] of the features that exist, in any order.

    Raises ValueError if the vectors have different lengths.
    """
    statement = "COPY (SELECT image_id, vector FROM inference_feature WHERE id = ANY(%s)) TO STDOUT (FORMAT BINARY)"
    connection.ensure_connection()
    with connection.connection.cursor() as cursor, cursor.copy(statement, [feature_ids.tolist()]) as copy:
        rows = b"".join(copy)[len(_HEADER) : -len(_TRAILER)]
    if not rows:
        return np.zeros(0, dtype=np.int64), np.zeros((0, 0), dtype=np.float16)
    start = np.dtype([("fields", ">i2"), ("id_size", ">i4"), ("image_id", ">i8"), ("size", ">i4")])
    size = int(np.frombuffer(rows, start, count=1)["size"][0])
    record = np.dtype([*start.descr, ("vector", "<f2", (size // 2,))])
    whole = len(rows) // record.itemsize
    found = np.frombuffer(rows, record, count=whole)
    if whole * record.itemsize != len(rows) or (found["size"] != size).any():
        raise ValueError("Features of one backbone have different lengths.")
    return found["image_id"].astype(np.int64), found["vector"]


def pooled_read(
    image_ids: NDArray[np.int64], backbone: str, *, start: int, size: int
) -> tuple[NDArray[np.int64], NDArray[np.float16]]:
    """Return image ids [M] and a part [M, size] of the vectors of these photos, in any order.

    The part begins at number `start` of the vector. Photos without features of this backbone key are left out.
    """
    statement = (
        "COPY (SELECT image_id, substring(vector, %s, %s) FROM inference_feature "
        "WHERE image_id = ANY(%s) AND backbone = %s AND state = 'done') TO STDOUT (FORMAT BINARY)"
    )
    width = np.dtype("<f2").itemsize
    parameters = [start * width + 1, size * width, image_ids.tolist(), backbone]
    connection.ensure_connection()
    with connection.connection.cursor() as cursor, cursor.copy(statement, parameters) as copy:
        rows = b"".join(copy)[len(_HEADER) : -len(_TRAILER)]
    record = np.dtype(
        [("fields", ">i2"), ("id_size", ">i4"), ("image_id", ">i8"), ("size", ">i4"), ("vector", "<f2", (size,))]
    )
    found = np.frombuffer(rows, record)
    return found["image_id"].astype(np.int64), found["vector"]


def integers_read(query: str, parameters: Sequence[Any], *, count: int) -> NDArray[np.int64]:
    """Return the columns [count, N] of a query whose `count` columns are all bigint and never null."""
    connection.ensure_connection()
    statement = f"COPY ({query}) TO STDOUT (FORMAT BINARY)"
    with connection.connection.cursor() as cursor, cursor.copy(statement, parameters) as copy:
        rows = b"".join(copy)[len(_HEADER) : -len(_TRAILER)]
    if not rows:
        return np.zeros((count, 0), dtype=np.int64)
    record = np.dtype([("fields", ">i2"), ("columns", [("size", ">i4"), ("value", ">i8")], (count,))])
    return np.ascontiguousarray(np.frombuffer(rows, record)["columns"]["value"].T, dtype=np.int64)


def predictions_read(
    version_id: int, image_ids: NDArray[np.int64] | None
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the predictions of a model version for these photos, or for all, by photo.

    Returns image ids [N]; mean, standard deviation and watch probability [N, 3]; distributions [N, K]. Raises
    ValueError if distributions have different lengths.
    """
    statement = sql.SQL(
        "COPY (SELECT image_id, quality_mean, quality_std, watch_probability, distribution FROM inference_prediction "
        "WHERE model_version_id = %s {} ORDER BY image_id) TO STDOUT (FORMAT BINARY)"
    ).format(sql.SQL("" if image_ids is None else "AND image_id = ANY(%s)"))
    parameters: list[Any] = [version_id] + ([] if image_ids is None else [image_ids.tolist()])
    connection.ensure_connection()
    with connection.connection.cursor() as cursor, cursor.copy(statement, parameters) as copy:
        rows = b"".join(copy)[len(_HEADER) : -len(_TRAILER)]
    if not rows:
        return np.zeros(0, dtype=np.int64), np.zeros((0, 3)), np.zeros((0, 0))
    element = np.dtype([("size", ">i4"), ("value", ">f8")])
    start = np.dtype(
        [
            ("fields", ">i2"),
            *[("id_size", ">i4"), ("image_id", ">i8")],
            ("numbers", element, (3,)),
            *[("size", ">i4"), ("head", ">i4", (5,))],
        ]
    )
    size = int(np.frombuffer(rows, start, count=1)["size"][0])
    record = np.dtype([*start.descr, ("elements", element, ((size - 5 * 4) // element.itemsize,))])
    whole = len(rows) // record.itemsize
    found = np.frombuffer(rows, record, count=whole)
    if whole * record.itemsize != len(rows) or (found["size"] != size).any():
        raise ValueError("Predicted distributions of one version have different lengths.")
    columns = (found["numbers"]["value"], found["elements"]["value"])
    numbers, distributions = (np.ascontiguousarray(values, dtype=np.float64) for values in columns)
    return found["image_id"].astype(np.int64), numbers, distributions


def rows_write(table: str, columns: Mapping[str, NDArray[Any]]) -> None:
    """Append rows to a table: `columns` of one length, whole numbers as bigint, floats [N] as double precision,
    floats [N, K] as double precision arrays.
    """
    parts = [part for name, values in columns.items() for part in _parts(name, values)]
    count = len(next(iter(columns.values())))
    rows = np.zeros(count, dtype=[("fields", ">i2"), *(dtype for dtype, _ in parts)])
    rows["fields"] = len(columns)
    for (name, *_), values in parts:
        rows[name] = values
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    connection.ensure_connection()
    with connection.connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(_HEADER + rows.tobytes() + _TRAILER)


def _parts(name: str, values: NDArray[Any]) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Yield (dtype, values) of the record fields of one column: its size, an array header, the values."""
    if values.ndim == 1:
        yield (f"{name} size", ">i4"), 8
        yield (name, ">i8" if values.dtype.kind in "iu" else ">f8"), values
        return
    width = values.shape[1]
    element = np.dtype([("size", ">i4"), ("value", ">f8")])
    elements = np.zeros(values.shape, element)
    elements["size"], elements["value"] = 8, values
    yield (f"{name} size", ">i4"), 5 * 4 + width * element.itemsize
    # Number of dimensions, has nulls, element type, number of elements, index of the first.
    yield (f"{name} head", ">i4", (5,)), [1, 0, _FLOAT8, width, 1]
    yield (name, element, (width,)), elements
