"""The process that reads one Parquet file: `python parquet_child.py FILE`. It imports nothing of the project.

A damaged file can end the process of the library that reads it, or make it ask for any amount of memory. So the reading
is done here, with a limit of memory, and `annotation.exchange.parquet_reader` reads what this process prints: one line
of JSON with the columns as [name, type], then one for each part of the table, a list of columns of texts. A file that
cannot be read ends with a line {"error": why}.
"""

import json
import resource
import sys
from datetime import datetime
from typing import Any

_MEMORY = 1024**3  # bytes of address space; a file of this application needs about 100 MB
_ROWS = 1000  # rows of one part
_LONGEST = 10_000  # characters of one cell that are printed; no cell of votes has as many


def main(path: str) -> None:
    """Print the table."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    from arro3.io import read_parquet

    try:
        batches = read_parquet(path, batch_size=_ROWS)
        fields = [batches.schema.field(place) for place in range(len(batches.schema))]
        _print([[field.name, _type_text(field.type)] for field in fields])
        for batch in batches:
            columns = [batch.column(place).to_pylist() for place in range(len(fields))]
            _print([[_text(value) for value in column] for column in columns])
    except (KeyboardInterrupt, BrokenPipeError):
        raise
    except BaseException as error:  # also panics of the library, which are no Exceptions
        _print({"error": f"{error}"[:500]})


def _print(value: object) -> None:
    print(json.dumps(value), flush=True)


def _type_text(kind: Any) -> str:
    """Return a type such as Utf8 or List(Int64)."""
    return str(kind).strip().removeprefix("arro3.core.DataType<").removesuffix(">")


def _text(value: Any) -> str | None:
    """Return a value as the text of a cell; None for null."""
    if value is None:
        return None
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)[:_LONGEST]


if __name__ == "__main__":
    main(sys.argv[1])
