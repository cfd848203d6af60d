"""Writing many rows of derived values with one statement."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from django.db import connection, models
from numpy.typing import NDArray

# More rows in one statement are not faster, and each row takes memory here and in the server.
_ROWS = 20_000


def rows_upsert(model: type[models.Model], columns: Mapping[str, Any], *, unique: Sequence[str]) -> int:
    """Insert rows, or replace those with the same values of `unique`; return how many rows there are.

    `columns`: {name of the field: array [N], or one value for all rows}. NaN is stored as NULL.
    """
    fields: dict[str, Any] = {name: model._meta.get_field(name) for name in columns}
    arrays = {name: values for name, values in columns.items() if isinstance(values, np.ndarray)}
    count = len(next(iter(arrays.values())))
    quote = connection.ops.quote_name
    names = [quote(fields[name].column) for name in columns]
    types = {name: fields[name].db_type(connection) for name in arrays}
    casts = {"serial": "integer", "bigserial": "bigint"}
    chosen = ", ".join(quote(name) if name in arrays else f"%({name})s" for name in columns)
    given = ", ".join(f"%({name})s::{casts.get(str(types[name]), types[name])}[]" for name in arrays)
    keys = [quote(fields[name].column) for name in unique]
    changes = ", ".join(f"{name} = EXCLUDED.{name}" for name in names if name not in keys)
    statement = (
        f"INSERT INTO {quote(model._meta.db_table)} ({', '.join(names)}) "  # noqa: S608  # names of fields
        f"SELECT {chosen} FROM unnest({given}) AS rows ({', '.join(map(quote, arrays))}) "
        f"ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {changes}"
    )
    shared = {name: value for name, value in columns.items() if name not in arrays}
    with connection.cursor() as cursor:
        for start in range(0, count, _ROWS):
            part = {name: _values(values[start : start + _ROWS]) for name, values in arrays.items()}
            cursor.execute(statement, shared | part)
    return count


def _values(column: NDArray[Any]) -> list[Any]:
    """Return a column as Python values, NaN as None."""
    values: list[Any] = column.tolist()
    return values if column.dtype.kind != "f" else [None if value != value else value for value in values]
