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
    default_lane_shares,
    default_synsets,
    synset_name,
    synset_names,
)
from annotation.models.comments import PhotoComment
from annotation.models.consensus import AnnotatorStatistics, ConsensusFit, ConsensusState, PhotoConsensus
from annotation.models.credentials import ApiToken, PasswordLink, UserSession
from annotation.models.gallery import BulkAction, BulkChange, PhotoSelection, SavedView
from annotation.models.members import Invitation, Membership, Role
from annotation.models.near_duplicates import DuplicateLink, SplitChange
from annotation.models.photo_changes import PhotoChange
from annotation.models.photo_files import FileCheck, PhotoFile
from annotation.models.photo_maps import PhotoMap
from annotation.models.photos import (
    HAS_ORIGINAL,
    LIVE,
    QUEUED,
    SOUND_PROBLEMS,
    UNSOUND,
    Image,
    ImportBatch,
    ImportRejection,
    Withdrawal,
)
from annotation.models.queue import Assignment, QueueLane, QueuePriority
from annotation.models.screening import ScreeningDecision
from annotation.models.stored_counts import StoredCount
from annotation.models.stored_figures import ComputedRow, FiguresRow, StoredFigures
from annotation.models.tags import PhotoTag, Tag
from annotation.models.use import HourlyUse
from annotation.models.users import User
from annotation.models.vote_imports import AggregatedVotes, ImportedAnnotator, VoteImport
from annotation.models.vote_requests import VoteRequest

__all__ = [
    "DEFAULT_SYNSETS",
    "HAS_ORIGINAL",
    "LIVE",
    "QUEUED",
    "SOUND_PROBLEMS",
    "UNSOUND",
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
    "BulkAction",
    "BulkChange",
    "Campaign",
    "CampaignAddress",
    "ComputedRow",
    "ConsensusFit",
    "ConsensusState",
    "DuplicateLink",
    "FiguresRow",
    "FileCheck",
    "HourlyUse",
    "Image",
    "ImportBatch",
    "ImportRejection",
    "ImportedAnnotator",
    "Invitation",
    "Membership",
    "PasswordLink",
    "PhotoChange",
    "PhotoComment",
    "PhotoConsensus",
    "PhotoFile",
    "PhotoMap",
    "PhotoSelection",
    "PhotoTag",
    "QueueLane",
    "QueuePriority",
    "Role",
    "SavedView",
    "ScreeningDecision",
    "SplitChange",
    "StoredCount",
    "StoredFigures",
    "Tag",
    "User",
    "UserSession",
    "VoteImport",
    "VoteRequest",
    "Withdrawal",
    "default_lane_shares",
    "default_synsets",
    "synset_name",
    "synset_names",
]
