"""The database keeps audit records as they are."""

from typing import Any

import pytest
from django.db import connection, transaction
from django.db.utils import InternalError, ProgrammingError

from annotation.models import AuditKind, AuditRecord, Campaign
from annotation.services.audit import audit_addresses_forget, audit_record

pytestmark = pytest.mark.django_db


@pytest.fixture
def record(people: dict[str, Any], campaign: Campaign) -> AuditRecord:
    record = audit_record(kind=AuditKind.EXPORT, by=people["ada"], campaign=campaign, what="x.csv", after={"rows": 1})
    AuditRecord.objects.bulk_create([AuditRecord(kind="export", by=people["ada"], address="192.0.2.7")])
    return record


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM annotation_auditrecord",
        "UPDATE annotation_auditrecord SET by_id = NULL",
        "UPDATE annotation_auditrecord SET after = '{\"rows\": 2}'",
        "UPDATE annotation_auditrecord SET address = '192.0.2.8'",
    ],
)
def test_records_cannot_be_changed_or_deleted(record: AuditRecord, statement: str) -> None:
    with (
        pytest.raises((InternalError, ProgrammingError), match="never changed or deleted"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)


def test_the_addresses_of_a_person_can_be_removed(record: AuditRecord, people: dict[str, Any]) -> None:
    assert audit_addresses_forget(user=people["ada"]) == 1
    assert not AuditRecord.objects.exclude(address=None).exists()


def test_records_stay_when_their_campaign_is_deleted(record: AuditRecord, campaign: Campaign) -> None:
    number = campaign.pk
    campaign.memberships.all().delete()
    campaign.delete()
    assert AuditRecord.objects.get(pk=record.pk).campaign_id == number
