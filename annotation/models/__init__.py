"""Campaigns, photos, and the answers of annotators.

`Annotation` is append-only. `Image` stores counters for speed; `annotation.services.queue.counters_rebuild` computes
them again from the assignments and annotations.
"""

from annotation.models.adjudications import Adjudication
from annotation.models.annotations import Annotation, AnnotationQuerySet
from annotation.models.attempts import AttemptCount
from annotation.models.audit import AuditKind, AuditRecord
from annotation.models.campaigns import (
    DEFAULT_SYNSETS,
    Campaign,
    CampaignAddress,
    Invitation,
    Membership,
    Role,
    default_lane_shares,
    default_synsets,
    synset_name,
)
from annotation.models.comments import PhotoComment
from annotation.models.consensus import AnnotatorStatistics, ConsensusFit, ConsensusState, PhotoConsensus
from annotation.models.credentials import ApiToken, PasswordLink, UserSession
from annotation.models.near_duplicates import DuplicateLink, SplitChange
from annotation.models.photo_files import FileCheck, PhotoFile
from annotation.models.photos import (
    HAS_ORIGINAL,
    LIVE,
    QUEUED,
    SOUND_PROBLEMS,
    Image,
    ImportBatch,
    ImportRejection,
    Withdrawal,
)
from annotation.models.queue import Assignment, QueueLane, QueuePriority
from annotation.models.screening import ScreeningDecision
from annotation.models.stored_figures import StoredFigures
from annotation.models.use import HourlyUse
from annotation.models.users import User
from annotation.models.vote_imports import AggregatedVotes, ImportedAnnotator, VoteImport

__all__ = [
    "DEFAULT_SYNSETS",
    "HAS_ORIGINAL",
    "LIVE",
    "QUEUED",
    "SOUND_PROBLEMS",
    "Adjudication",
    "AggregatedVotes",
    "Annotation",
    "AnnotationQuerySet",
    "AnnotatorStatistics",
    "ApiToken",
    "Assignment",
    "AttemptCount",
    "AuditKind",
    "AuditRecord",
    "Campaign",
    "CampaignAddress",
    "ConsensusFit",
    "ConsensusState",
    "DuplicateLink",
    "FileCheck",
    "HourlyUse",
    "Image",
    "ImportBatch",
    "ImportRejection",
    "ImportedAnnotator",
    "Invitation",
    "Membership",
    "PasswordLink",
    "PhotoComment",
    "PhotoConsensus",
    "PhotoFile",
    "QueueLane",
    "QueuePriority",
    "Role",
    "ScreeningDecision",
    "SplitChange",
    "StoredFigures",
    "User",
    "UserSession",
    "VoteImport",
    "Withdrawal",
    "default_lane_shares",
    "default_synsets",
    "synset_name",
]
