"""The tables of the site in a backup: written in one snapshot, loaded in one transaction.

COPY is used instead of pg_dump: it works with every server that the site works with, without a program of the same
version, and the backup of one server can be loaded into another. Django's migrations create the tables, in the state
that the backup has, and then bring them up to date.
"""

import gzip
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, Any

from django.apps import apps
from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder
from psycopg import sql

from iqs_site.backup.archive import ArchiveWriter, BackupError

PREFIX = "database/"
_MIGRATIONS = "django_migrations"
# Sessions are left out: whoever has the file would be logged in. People log in again after a restore.
_WITHOUT_ROWS = {"django_session"}
_PART_BYTES = 8 * 1024 * 1024  # uncompressed; a tar needs the size of a member before its content
_LEVEL = 1  # of gzip; higher ones take several times as long

Progress = Callable[[int, int], None]

# Functions that migrations made for triggers. They do not go with their tables.
_OWN_FUNCTIONS = r"""
SELECT oid::regprocedure::text FROM pg_proc
WHERE pronamespace = current_schema()::regnamespace AND proname ~ '^(annotation|inference|training)_'
"""
_FOREIGN_KEYS = """
SELECT conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(oid)
FROM pg_constraint WHERE contype = 'f' AND conrelid = ANY(%s::regclass[])
"""
_OTHERS = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""


@contextmanager
def snapshot() -> Iterator[None]:
    """Let all queries of the block see the database as it is at the start of the block. Nothing waits for it."""
    with transaction.atomic(durable=True):
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


def tables_write(archive: ArchiveWriter, *, progress: Progress) -> dict[str, Any]:
    """Write all tables; return {table: {rows, sequences}}. `progress` gets rows."""
    written: dict[str, Any] = {}
    with connection.cursor() as cursor:
        tables = _tables()
        counts = {table: 0 if table in _WITHOUT_ROWS else _count(cursor, table) for table in tables}
        done, total = 0, sum(counts.values())
        for table in tables:
            columns = [column.name for column in connection.introspection.get_table_description(cursor, table)]
            archive.member_add(f"{PREFIX}{table}/columns.json", json.dumps(columns).encode())
            if table not in _WITHOUT_ROWS:
                for number, (rows, part) in enumerate(_parts(cursor, table, columns), 1):
                    archive.member_add(f"{PREFIX}{table}/{number:06}.copy.gz", part)
                    done += rows
                    progress(done, total)
            written[table] = {"rows": counts[table], "sequences": _sequences(cursor, table)}
    return written


def migrations_applied() -> list[list[str]]:
    """Return [app, name] of each migration that the database has."""
    return sorted([app, name] for app, name in MigrationRecorder(connection).applied_migrations())


def is_empty() -> bool:
    """Return whether the database has no users and no campaigns, as before the first start."""
    existing = set(connection.introspection.table_names())
    with connection.cursor() as cursor:
        for table in {"annotation_user", "annotation_campaign"} & existing:
            cursor.execute(sql.SQL("SELECT 1 FROM {} LIMIT 1").format(sql.Identifier(table)))
            if cursor.fetchone():
                return False
    return True


def others_connected() -> int:
    """Return how many other connections the database has."""
    with connection.cursor() as cursor:
        cursor.execute(_OTHERS)
        return int(cursor.fetchone()[0])


def migrations_check(migrations: list[list[str]]) -> None:
    """Raise BackupError when this version of IQS does not know one of the migrations: the backup is newer."""
    known = MigrationExecutor(connection).loader.disk_migrations
    installed = {config.label for config in apps.get_app_configs()}
    if unknown := [f"{app}.{name}" for app, name in migrations if (app, name) not in known and app in installed]:
        raise BackupError(
            f"The backup was made by a newer version of IQS (it has the change {unknown[0]} of the database). "
            "Restore it with that version."
        )


def tables_make(migrations: list[list[str]]) -> None:
    """Drop the site's tables, and create them empty in the state of these migrations."""
    existing = set(connection.introspection.table_names())
    ours = [table for table in {*_tables(), _MIGRATIONS} if table in existing]
    with connection.cursor() as cursor:
        if ours:
            names = sql.SQL(", ").join(map(sql.Identifier, sorted(ours)))
            cursor.execute(sql.SQL("DROP TABLE {} CASCADE").format(names))
        cursor.execute(_OWN_FUNCTIONS)
        for (function,) in cursor.fetchall():
            cursor.execute(f"DROP FUNCTION {function} CASCADE")
    executor = MigrationExecutor(connection)
    graph = executor.loader.graph
    wanted = {(app, name) for app, name in migrations} & graph.nodes.keys()
    # Only the newest of each app: naming an earlier one as well would mean a step back to it.
    succeeded = {parent.key for key in wanted for parent in graph.node_map[key].parents if parent.key[0] == key[0]}
    executor.migrate(sorted(wanted - succeeded))
    with connection.cursor() as cursor:  # some migrations insert rows
        names = sql.SQL(", ").join(map(sql.Identifier, _tables()))
        cursor.execute(sql.SQL("TRUNCATE {} CASCADE").format(names))


class TableLoader:
    """Loads the members of a backup into empty tables. Foreign keys are added at the end, which is much faster.

    Rows of tables that this version of IQS does not have are left out.
    """

    def __init__(self) -> None:
        self._constraints: list[tuple[str, str, str]] = []
        self._columns: dict[str, list[str]] = {}
        self._known: set[str] = set()

    def begin(self) -> None:
        """Drop the foreign keys."""
        self._known = set(_tables())
        with connection.cursor() as cursor:
            cursor.execute(_FOREIGN_KEYS, [list(map(_quoted, _tables()))])
            self._constraints = cursor.fetchall()
            for table, name, _definition in self._constraints:
                cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")

    def load(self, name: str, file: IO[bytes]) -> int:
        """Load one member: the columns of a table, or some of its rows; return how many."""
        table = name.removeprefix(PREFIX).partition("/")[0]
        if table not in self._known:
            return 0
        if name.endswith("/columns.json"):
            self._columns[table] = list(json.loads(file.read()))
            return 0
        statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
            sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, self._columns[table]))
        )
        with connection.cursor() as cursor:
            with cursor.copy(statement) as copy, gzip.open(file) as rows:
                while part := rows.read(1024 * 1024):
                    copy.write(part)
            return int(cursor.rowcount)

    def finish(self, tables: dict[str, Any]) -> None:
        """Set the sequences, add the foreign keys, and compare the numbers of rows. Raises BackupError."""
        with connection.cursor() as cursor:
            for table, facts in tables.items():
                if table not in self._known:
                    continue
                cursor.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table)))
                (found,) = cursor.fetchone()
                if found != facts["rows"]:
                    raise BackupError(f"The table {table} has {found} rows instead of {facts['rows']}.")
                for column, last in facts["sequences"].items():
                    cursor.execute("SELECT pg_get_serial_sequence(%s, %s)", [_quoted(table), column])
                    (sequence,) = cursor.fetchone()
                    if sequence and last:
                        cursor.execute("SELECT setval(%s::regclass, %s)", [sequence, last])
            for table, name, definition in self._constraints:
                cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")


def _tables() -> list[str]:
    """Return the names of the site's tables that exist, sorted."""
    ours = set(connection.introspection.django_table_names(only_existing=True, include_views=False))
    if _MIGRATIONS in connection.introspection.table_names():
        ours.add(_MIGRATIONS)
    return sorted(ours)


def _count(cursor: Any, table: str) -> int:
    cursor.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table)))
    return int(cursor.fetchone()[0])


def _parts(cursor: Any, table: str, columns: list[str]) -> Iterator[tuple[int, bytes]]:
    """Yield the rows of a table in parts: (number of rows, compressed text)."""
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    part, rows = bytearray(), 0
    with cursor.copy(sql.SQL("COPY {} ({}) TO STDOUT").format(sql.Identifier(table), names)) as copy:
        for row in copy:  # the server sends each row as one message
            part += row
            rows += 1
            if len(part) >= _PART_BYTES:
                yield rows, gzip.compress(part, _LEVEL, mtime=0)
                part, rows = bytearray(), 0
    if part:
        yield rows, gzip.compress(part, _LEVEL, mtime=0)


def _sequences(cursor: Any, table: str) -> dict[str, int]:
    """Return {column: last number} of the sequences of a table that have been used."""
    found = {}
    for sequence in connection.introspection.get_sequences(cursor, table):
        cursor.execute("SELECT pg_get_serial_sequence(%s, %s)", [_quoted(table), sequence["column"]])
        (name,) = cursor.fetchone()
        cursor.execute(f"SELECT last_value, is_called FROM {name}")  # noqa: S608  # the server's own quoted name
        last, is_called = cursor.fetchone()
        if is_called:
            found[sequence["column"]] = last
    return found


def _quoted(table: str) -> str:
    return str(connection.ops.quote_name(table))
