"""Audit records by filter, for the page and for the export."""

import json
from collections.abc import Iterator
from datetime import datetime

from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Q, QuerySet

from annotation.exchange.records import AuditRow
from annotation.models import AuditRecord, Campaign
from annotation.models.users import name_key


def audit_records(
    *,
    person: str = "",
    kind: str = "",
    campaign: Campaign | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> QuerySet[AuditRecord]:
    """Return the records that fit all conditions, newest first. An empty condition fits every record.

    person: part of the name of who did it, or of whose account it is about, in any case.
    """
    records = AuditRecord.objects.select_related("by", "user", "campaign").order_by("-id")
    if person:
        part = name_key(person)
        records = records.filter(Q(by__name_key__contains=part) | Q(user__name_key__contains=part))
    if kind:
        records = records.filter(kind=kind)
    if campaign is not None:
        records = records.filter(campaign=campaign)
    if since is not None:
        records = records.filter(at__gte=since)
    if until is not None:
        records = records.filter(at__lte=until)
    return records


def audit_rows(records: QuerySet[AuditRecord], *, with_addresses: bool) -> Iterator[AuditRow]:
    """Yield the records as rows of a table, from a server-side cursor (one query)."""
    for record in records.iterator(chunk_size=2000):
        yield AuditRow(
            record=record.pk,
            at=record.at,
            by=record.by.username if record.by else None,
            kind=record.kind,
            user=record.user.username if record.user else None,
            campaign=record.campaign.slug if record.campaign else None,
            what=record.what,
            before=_json(record.before),
            after=_json(record.after),
            address=record.address if with_addresses else None,
        )


def _json(values: object) -> str | None:
    return None if values is None else json.dumps(values, cls=DjangoJSONEncoder, ensure_ascii=False)
