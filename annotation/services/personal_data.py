"""Everything that the database says about one person, as a zip."""

import json
import tempfile
import zipfile
from base64 import b64encode
from collections.abc import Iterator
from typing import IO, Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import ForeignKey, Model, Q

from annotation.exchange.registry import FORMATS
from annotation.models import AuditKind, AuditRecord, Campaign, Image, User
from annotation.selectors.export import annotation_records_of
from annotation.services.audit import audit_record

# Secrets, the state of the site, and columns of Django's admin log with the names of other people.
_LEFT_OUT = {"password", "token_sha256", "session", "object_repr", "change_message", "vector"}
_ROWS = 2000  # read at a time
_README = """What this site stores about {username}.

person.json   The account, and each row of the database that belongs to it. Passwords and secrets of
              tokens and sessions are left out. Times are in UTC, and bytes are in base64.
answers.csv   Each answer and each skip, in the format of the export of a campaign.

Backups and log files of the site are not in here.
"""


def personal_data_write(*, user: User) -> IO[bytes]:
    """Return a temporary file with the zip, which the caller closes, and record the export."""
    audit_record(kind=AuditKind.EXPORT, user=user, what="personal data")
    file = tempfile.TemporaryFile()  # noqa: SIM115  # the caller closes it
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("README.txt", _README.format(username=user.username))
        with archive.open("person.json", "w", force_zip64=True) as out:
            for piece in _person(user):
                out.write(piece.encode())
        with archive.open("answers.csv", "w", force_zip64=True) as out:
            for part in FORMATS["annotations-csv"].write(annotation_records_of(user)):
                out.write(part)
    file.seek(0)
    return file


def _person(user: User) -> Iterator[str]:
    """Yield the JSON in pieces: the account, and {table: rows} for each table that refers to users."""
    account = {
        **next(_values(User, Q(pk=user.pk), user)),
        "groups": list(user.groups.values_list("name", flat=True)),
    }
    yield f'{{"account": {_json(account)}, "tables": {{'
    for place, (model, names) in enumerate(_tables()):
        condition = Q(*[(name, user) for name in names], _connector=Q.OR)
        yield f"{',' if place else ''}\n{_json(model._meta.label_lower)}: ["
        for number, row in enumerate(_values(model, condition, user)):
            yield f"{',' if number else ''}\n  {_json(row)}"
        yield "]"
    yield "}}\n"


def _tables() -> list[tuple[type[Model], list[str]]]:
    """Return each table with a reference to users, and the names of its columns for them, also of other apps."""
    tables: dict[type[Model], list[str]] = {}
    for relation in User._meta.get_fields(include_hidden=True):
        model = relation.related_model
        field = getattr(relation, "field", None)
        if not relation.auto_created or relation.concrete or not isinstance(field, ForeignKey):
            continue
        if isinstance(model, type) and not model._meta.auto_created:
            tables.setdefault(model, []).append(field.name)
    return sorted(tables.items(), key=lambda table: table[0]._meta.label_lower)


def _values(model: type[Model], condition: Q, user: User) -> Iterator[dict[str, Any]]:
    """Yield the rows with their columns. Campaigns and photos have their names too."""
    names = []
    for field in model._meta.concrete_fields:
        if field.name in _LEFT_OUT:
            continue
        names.append(field.attname)
        if isinstance(field, ForeignKey) and field.related_model is Campaign:
            names.append(f"{field.name}__slug")
        if isinstance(field, ForeignKey) and field.related_model is Image:
            names.append(f"{field.name}__name")
    for row in model._default_manager.filter(condition).order_by("pk").values(*names).iterator(chunk_size=_ROWS):
        if model is AuditRecord and row["by_id"] != user.pk:
            row["address"] = None  # the address of somebody else
        yield row


class _Encoder(DjangoJSONEncoder):
    """Writes bytes as base64."""

    def default(self, o: Any) -> Any:
        return b64encode(o).decode() if isinstance(o, bytes | memoryview) else super().default(o)


def _json(value: Any) -> str:
    return json.dumps(value, cls=_Encoder, ensure_ascii=False)
