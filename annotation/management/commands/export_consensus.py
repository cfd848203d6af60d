"""`manage.py export_consensus CAMPAIGN [--format NAME] [--out FILE]`: export what people say together."""

from annotation.exchange.records import AnnotatorRecord, ConsensusRecord
from annotation.management.table_export import TableExport
from annotation.selectors.export import annotator_records, consensus_records


class Command(TableExport):
    help = "Write the stored consensus on each photo, or the statistics of each annotator."
    rows_of = {ConsensusRecord: consensus_records, AnnotatorRecord: annotator_records}
