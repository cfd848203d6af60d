"""`manage.py export_annotations CAMPAIGN [--format NAME] [--out FILE]`: export all answers and skips."""

from annotation.exchange.records import AnnotationRecord
from annotation.management.table_export import TableExport
from annotation.selectors.export import annotation_records


class Command(TableExport):
    help = "Write every annotation of a campaign to standard output or a file."
    rows_of = {AnnotationRecord: annotation_records}
