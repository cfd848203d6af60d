"""The audit as a CSV table. Pure."""

from annotation.exchange.format import CsvFormat
from annotation.exchange.records import AuditRow


class AuditCsv(CsvFormat[AuditRow]):
    """One row per audit record."""

    name = "audit-csv"
    label = "Audit, CSV"
    description = "One row per audit record: when, who, what, and the values before and after."
    record = AuditRow
