"""Registry of the exchange formats. To add one, write a module in this package and add it to the tables here. Pure."""

from typing import Any

from annotation.exchange.annotations_csv import AnnotationsCsv
from annotation.exchange.annotations_jsonl import AnnotationsJsonLines
from annotation.exchange.annotations_parquet import AnnotationsParquet
from annotation.exchange.annotators_csv import AnnotatorsCsv
from annotation.exchange.annotators_jsonl import AnnotatorsJsonLines
from annotation.exchange.annotators_parquet import AnnotatorsParquet
from annotation.exchange.audit_csv import AuditCsv
from annotation.exchange.ava import Ava
from annotation.exchange.ava_csv import AvaCsv
from annotation.exchange.ava_json import AvaJson
from annotation.exchange.class_folders import ClassFolders
from annotation.exchange.consensus_csv import ConsensusCsv
from annotation.exchange.consensus_jsonl import ConsensusJsonLines
from annotation.exchange.consensus_parquet import ConsensusParquet
from annotation.exchange.decisions_csv import DecisionsCsv
from annotation.exchange.decisions_jsonl import DecisionsJsonLines
from annotation.exchange.decisions_parquet import DecisionsParquet
from annotation.exchange.dpchallenge import DpChallenge
from annotation.exchange.eva import Eva
from annotation.exchange.format import Format
from annotation.exchange.histogram_csv import HistogramCsv
from annotation.exchange.histogram_parquet import HistogramParquet
from annotation.exchange.image_folder import ImageFolder
from annotation.exchange.koniq import Koniq
from annotation.exchange.label_studio import LabelStudio
from annotation.exchange.mean_csv import MeanCsv
from annotation.exchange.observer_csv import ObserverCsv
from annotation.exchange.photos_csv import PhotosCsv
from annotation.exchange.photos_jsonl import PhotosJsonLines
from annotation.exchange.photos_parquet import PhotosParquet
from annotation.exchange.predictions_csv import PredictionsCsv
from annotation.exchange.predictions_jsonl import PredictionsJsonLines
from annotation.exchange.predictions_parquet import PredictionsParquet
from annotation.exchange.reading import VoteReader
from annotation.exchange.spaq import Spaq
from annotation.exchange.votes_csv import VotesCsv
from annotation.exchange.votes_jsonl import VotesJsonLines
from annotation.exchange.votes_parquet import VotesParquet
from annotation.exchange.watch_csv import WatchCsv
from annotation.exchange.watch_jsonl import WatchJsonLines
from annotation.exchange.watch_parquet import WatchParquet

FORMATS: dict[str, Format[Any]] = {
    one.name: one
    for one in (
        AnnotationsCsv(),
        AnnotationsJsonLines(),
        AnnotationsParquet(),
        ConsensusCsv(),
        ConsensusJsonLines(),
        ConsensusParquet(),
        AnnotatorsCsv(),
        AnnotatorsJsonLines(),
        AnnotatorsParquet(),
        PhotosCsv(),
        PhotosJsonLines(),
        PhotosParquet(),
        PredictionsCsv(),
        PredictionsJsonLines(),
        PredictionsParquet(),
        DecisionsCsv(),
        DecisionsJsonLines(),
        DecisionsParquet(),
        AuditCsv(),
        VotesCsv(),
        VotesJsonLines(),
        VotesParquet(),
        HistogramCsv(),
        HistogramParquet(),
        Ava(),
        AvaCsv(),
        AvaJson(),
        Koniq(),
        WatchCsv(),
        WatchJsonLines(),
        WatchParquet(),
        LabelStudio(),
    )
}


def formats_of(record: type[Any]) -> list[Format[Any]]:
    """Return the formats that write records of this type, in the order of the registry."""
    return [one for one in FORMATS.values() if one.record is record]


#: Formats whose files can be imported as votes.
READERS: dict[str, VoteReader] = {
    one.name: one
    for one in (
        VotesCsv(),
        VotesJsonLines(),
        VotesParquet(),
        AnnotationsCsv(),
        AnnotationsJsonLines(),
        AnnotationsParquet(),
        ObserverCsv(),
        HistogramCsv(),
        HistogramParquet(),
        MeanCsv(),
        ConsensusCsv(),
        ConsensusJsonLines(),
        ConsensusParquet(),
        WatchCsv(),
        WatchJsonLines(),
        WatchParquet(),
        Ava(),
        AvaCsv(),
        AvaJson(),
        DpChallenge(),
        Eva(),
        Koniq(),
        Spaq(),
        LabelStudio(),
        ImageFolder(),
        ClassFolders(),
    )
}
