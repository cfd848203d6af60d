"""Import of votes that were given elsewhere. All rows of a file are stored, or none and the file's problems.

* Single votes become answers (`Annotation`) of imported annotators: users without a login, one for each name. They
  count as blind votes, because those people saw no prediction of this site.
* Histograms and means become `AggregatedVotes`, also for photos that the campaign does not have yet.

A vote must have a score of the campaign's scale. A file with another scale is taken only if each of its scores is
mapped to a whole score, because a rounded vote is one that nobody gave.
"""

import hashlib
import logging
import re
import shutil
from collections.abc import Collection
from pathlib import Path, PurePosixPath

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext, gettext_noop

from annotation.exchange.labels import LabelsError, labels_match
from annotation.exchange.reading import Vote, VoteFileError, VoteReader
from annotation.exchange.registry import READERS
from annotation.files.names import name_shortened, text_encodable, text_storable
from annotation.measures.class_limits import limit_moved
from annotation.measures.figures_text import figures_text
from annotation.models import AggregatedVotes, AuditKind, Campaign, ImportBatch, ImportedAnnotator, User, VoteImport
from annotation.models.users import name_key
from annotation.selectors.vote_summaries import VoteSummary, vote_summary
from annotation.services.audit import audit_record
from annotation.services.claims import Claims, Heartbeat, Report
from annotation.services.photo_folders import exported_name
from annotation.services.queue import counters_rebuild
from annotation.services.vote_rows import PROBLEMS_KEPT, RowTables

logger = logging.getLogger(__name__)

_CLAIMS = Claims(VoteImport)
# The first half of the advisory lock; the second is the id of the campaign.
_LOCK = 0x107E
_SOURCE_BYTES = 200  # of the name of a file, which file systems limit to 255 bytes
_NAME_ROOM = 140  # characters of a user name, with room for a number that makes it unique
_NUMBER = re.compile(r"[0-9]{1,18}")  # at the start of the name of an exported photo
_NOT_IN_USER_NAMES = re.compile(r"[^\w.@+-]+")


class VoteImportRefused(Exception):
    """The file cannot be imported. The message says why; `problems` has the first lines that are wrong."""

    def __init__(self, message: str, problems: Collection[tuple[int, str]] = ()) -> None:
        super().__init__(message)
        self.problems = list(problems)


def vote_import_begin(
    *,
    campaign: Campaign,
    reader: VoteReader,
    source: str,
    scale: tuple[int, int] | None = None,
    leaves_out_unknown: bool = False,
    is_simulated: bool = False,
    by: User | None = None,
    state: VoteImport.State = VoteImport.State.QUEUED,
    batch: ImportBatch | None = None,
) -> VoteImport:
    """Create an import of a file with this name. A queued one is for a worker, who finds its file at `upload_path`.

    scale: lowest and highest score of the file; None: the scale of the format, or else of the campaign. is_simulated:
    programs gave the votes. batch: the import of photos that brought the file. Raises VoteImportRefused when the scale
    does not fit.
    """
    own = (campaign.scale_min, campaign.scale_max)
    used = scale or reader.file_scale or own
    if reader.file_scale and used != reader.file_scale:
        raise VoteImportRefused(
            gettext("%(label)s has the scale %(file_scale)s, not another one.")
            % {"label": gettext(reader.label), "file_scale": _scale_text(reader.file_scale)}
        )
    if not 0 <= used[0] < used[1] <= 1000:
        raise VoteImportRefused(gettext("A scale needs two whole numbers from 0 to 1000, the lower one first."))
    if reader.reads is Vote:
        scores_mapped(used, own)
    return VoteImport.objects.create(
        campaign=campaign,
        created_by=by,
        batch=batch,
        format=reader.name,
        source=name_shortened(text_storable(source), _SOURCE_BYTES, in_bytes=True),
        scale_min=used[0],
        scale_max=used[1],
        leaves_out_unknown=leaves_out_unknown,
        is_simulated=is_simulated,
        state=state,
        heartbeat_at=timezone.now(),
    )


def scores_mapped(of_file: tuple[int, int], of_campaign: tuple[int, int]) -> dict[int, int]:
    """Return {score of the file: score of the campaign}: the line that maps the ends of the scales to each other.

    Raises VoteImportRefused when a score would not be whole.
    """
    (low, high), (own_low, own_high) = of_file, of_campaign
    factor, rest = divmod(own_high - own_low, high - low)
    if rest:
        raise VoteImportRefused(
            gettext(
                "The scores of the file are from %(of_file)s, those of the campaign from %(of_campaign)s. "
                "Votes would have to be rounded. Import them into a campaign with the scale %(of_file)s."
            )
            % {"of_file": _scale_text(of_file), "of_campaign": _scale_text(of_campaign)}
        )
    return {score: own_low + factor * (score - low) for score in range(low, high + 1)}


def vote_import_claim(*, import_id: int) -> VoteImport | None:
    """Claim a queued or stale import. None when it is neither."""
    return _CLAIMS.claim(import_id)


def vote_imports_claimable() -> list[int]:
    """Return the ids of queued and stale imports, oldest first."""
    return _CLAIMS.claimable_ids()


def upload_path(vote_import: VoteImport) -> Path:
    """Return where the uploaded file of an import waits, under its name: some formats take the annotator from it."""
    name = vote_import.source if PurePosixPath(vote_import.source).name == vote_import.source else "file"
    return Path(settings.UPLOADS_ROOT) / f"votes-{vote_import.pk}" / name


def uploaded_votes_import(*, vote_import: VoteImport) -> VoteImport:
    """Import the uploaded file of a claimed import, and delete the file. Return the import, done or failed."""
    path = upload_path(vote_import)
    if not path.exists() and not _is_stored(vote_import):
        return _close(
            vote_import, gettext_noop("The import was interrupted. Nothing was stored. Import the file again.")
        )
    done = vote_import_run(vote_import=vote_import, path=path)
    shutil.rmtree(path.parent, ignore_errors=True)
    return done


def vote_import_run(*, vote_import: VoteImport, path: Path, report: Report | None = None) -> VoteImport:
    """Import the file at `path`, and return the import as done, or as failed with a message.

    report: called for each part of the file. An error after the votes are stored is raised, and the import stays as
    running: another worker then only counts.
    """
    with Heartbeat(vote_import, report) as tell:
        try:
            if not _is_stored(vote_import):
                with transaction.atomic():
                    _store(vote_import, path, tell)
            if READERS[vote_import.format].reads is Vote:
                # After the votes are visible, in short transactions, so that annotators do not wait for the photos.
                tell(gettext_noop("counting votes"), 0, 0)
                counters_rebuild(campaign=vote_import.campaign)
            tell(gettext_noop("counting scores"), 0, 0)
            vote_summary_store(vote_import=vote_import)
        except VoteImportRefused as refused:
            return _close(vote_import, str(refused), refused.problems)
        except VoteFileError as error:
            return _close(vote_import, str(error))
        except OSError as error:
            return _close(
                vote_import, gettext_noop("The file cannot be read: %(error)s.") % {"error": error.strerror or error}
            )
        except KeyboardInterrupt:
            if not _is_stored(vote_import):
                _close(vote_import, gettext_noop("The import was interrupted. Nothing was stored."))
            raise
        except Exception as error:
            if _is_stored(vote_import):
                raise
            logger.exception("Vote import %s failed.", vote_import.pk)
            return _close(
                vote_import,
                gettext_noop("The import failed with an error (%(kind)s). Nothing was stored. See the log.")
                % {"kind": type(error).__name__},
            )
    return _close(vote_import, "")


def vote_summary_store(*, vote_import: VoteImport) -> VoteSummary:
    """Count what the votes of an import are like, store and return it. For 250,000 rows this takes about a second."""
    summary = vote_summary(vote_import)
    VoteImport.objects.filter(pk=vote_import.pk).update(summary=figures_text(summary))
    return summary


def _store(vote_import: VoteImport, path: Path, tell: Report) -> None:
    """Store all rows, in the caller's transaction. Raises VoteImportRefused, VoteFileError and OSError."""
    campaign, reader = vote_import.campaign, READERS[vote_import.format]
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_LOCK, campaign.pk])
        # A change of the scale waits for the end of the import.
        cursor.execute(
            "SELECT scale_min, scale_max FROM annotation_campaign WHERE id = %s FOR KEY SHARE", [campaign.pk]
        )
        own = cursor.fetchone()
    if _is_stored(vote_import):  # by another worker, while this one waited
        return
    digest, lines = _digest(path, of_folder=reader.takes_folders)
    if VoteImport.objects.filter(campaign=campaign, sha256=digest).exists():
        raise VoteImportRefused(gettext_noop("This file has been imported into this campaign already."))
    scale = (vote_import.scale_min, vote_import.scale_max)
    scores = scores_mapped(scale, own) if reader.reads is Vote else {}
    limits = (limit_moved(campaign.reject_at, own, scale), limit_moved(campaign.pending_at, own, scale))
    tables = RowTables()
    for line in tables.fill(reader.for_limits(limits).read(path, scale), lowest=scale[0], scores=scores):
        tell(gettext_noop("reading"), line, max(line, lines) if reader.counts_lines else 0)
    tables.check_twice()
    _refuse_if_wrong(tables)
    if not tables.rows:
        raise VoteImportRefused(gettext_noop("The file has no rows."))
    tell(gettext_noop("looking for the photos"), 0, 0)
    found = _photos_found(campaign, list(tables.photos), by_stem=reader.by_stem)
    if reader.takes_folders:
        found |= _exported_found(campaign, [name for name in tables.photos if name not in found])
    tables.photos_set(found)
    left_out = 0
    if reader.reads is Vote:
        left_out = _without_photo(vote_import, tables)
        users = _annotators(vote_import, tables.annotators_left())
        tables.annotators_set(users)
        _refuse_if_wrong(tables)
    for stored in tables.store(vote_import):
        tell(gettext_noop("storing"), stored, tables.rows)
    audit_record(
        kind=AuditKind.VOTE_IMPORT,
        by=vote_import.created_by,
        campaign=campaign,
        what=f"votes, import {vote_import.pk}",  # not the name of the file, which can be the name of a person
        after={"format": vote_import.format, "rows": tables.rows, "sha256": digest},
    )
    VoteImport.objects.filter(pk=vote_import.pk).update(
        sha256=digest,
        rows=tables.rows,
        left_out=left_out,
        photos=tables.photo_count(),
        annotators=len(tables.annotators_left()),
    )


def _refuse_if_wrong(tables: RowTables) -> None:
    """Raise VoteImportRefused when the file has problems."""
    if count := tables.problems.count:
        words = (
            gettext_noop("1 line is wrong, so nothing was imported.")
            if count == 1
            else gettext_noop("%(count)s lines are wrong, so nothing was imported.")
        )
        raise VoteImportRefused(words % {"count": count}, tables.problems.kept)


def _without_photo(vote_import: VoteImport, tables: RowTables) -> int:
    """Remove the votes on unknown photos, if the import leaves them out, and return how many there were.

    Raises VoteImportRefused when the import does not leave them out, or no vote is left.
    """
    missing = tables.votes_without_photo()
    if not missing:
        return 0
    if not vote_import.leaves_out_unknown:
        words = (
            gettext_noop(
                "The file has votes on 1 photo that this campaign does not have, or has several times. "
                "Import the photos first, or leave out these votes."
            )
            if len(missing) == 1
            else gettext_noop(
                "The file has votes on %(count)s photos that this campaign does not have, or has several times. "
                "Import the photos first, or leave out these votes."
            )
        )
        raise VoteImportRefused(
            words % {"count": len(missing)},
            [
                (line, gettext_noop("The campaign has no photo %(name)s.") % {"name": name})
                for line, name in missing[:PROBLEMS_KEPT]
            ],
        )
    left_out = tables.rows_without_photo_remove()
    if not tables.rows:
        raise VoteImportRefused(
            gettext_noop("The campaign has none of the photos of this file. Import the photos first.")
        )
    return left_out


def _photos_found(campaign: Campaign, names: list[str], *, by_stem: bool) -> dict[str, int]:
    """Return {name in the file: id of the photo}, without names that fit no photo or several."""
    ids: dict[str, list[int]] = {}
    for pk, name in campaign.images.filter(withdrawn_at=None).values_list("pk", "name").iterator(chunk_size=10_000):
        key = str(PurePosixPath(name).with_suffix("")) if by_stem and PurePosixPath(name).suffix else name
        ids.setdefault(key, []).append(pk)
    try:
        match = labels_match({name: name for name in names}, ids, by_file_name=True)
    except LabelsError as error:
        raise VoteImportRefused(
            gettext_noop("Two names of the file mean the same photo: %(error)s.") % {"error": error}
        ) from error
    photos: dict[str, list[int]] = {}
    for photo, name in match.found.items():
        photos.setdefault(name, []).extend(ids[photo])
    return {name: places[0] for name, places in photos.items() if len(places) == 1}


def _exported_found(campaign: Campaign, names: list[str]) -> dict[str, int]:
    """Return {name: id of the photo} of those names that `export_photos` gives to photos of this campaign."""
    numbers = {int(found[0]): name for name in names if (found := _NUMBER.match(name))}
    images = campaign.images.filter(pk__in=numbers, withdrawn_at=None)
    return {numbers[image.pk]: image.pk for image in images if exported_name(image) == numbers[image.pk]}


def aggregated_votes_link(*, campaign: Campaign) -> int:
    """Give imported histograms and means the photos that came after them, and return how many got one."""
    linked = 0
    for vote_import in campaign.vote_imports.filter(aggregated_votes__image=None, sha256__gt="").distinct():
        open_rows = dict(vote_import.aggregated_votes.filter(image=None).values_list("name", "pk"))
        try:
            found = _photos_found(campaign, list(open_rows), by_stem=READERS[vote_import.format].by_stem)
        except VoteImportRefused as refused:  # two names fit a new photo, so it is not known which one means it
            logger.warning("Aggregated votes of import %s get no photos: %s", vote_import.pk, refused)
            continue
        rows = [AggregatedVotes(pk=open_rows[name], image_id=image_id) for name, image_id in found.items()]
        linked += AggregatedVotes.objects.bulk_update(rows, ["image"], batch_size=1000)
        vote_summary_store(vote_import=vote_import)
    return linked


def _annotators(vote_import: VoteImport, names: list[str]) -> dict[str, int]:
    """Return {name in the file: id of the user}, and create the users that do not exist yet."""
    campaign = vote_import.campaign
    known = dict(campaign.imported_annotators.values_list("name", "user"))
    new = [name for name in names if name not in known]
    wanted = {name: _user_name(campaign, name) for name in new}
    taken = set(User.objects.filter(name_key__startswith=name_key(campaign.slug)).values_list("name_key", flat=True))
    users = []
    for name in new:
        username, number = wanted[name], 1
        while name_key(username) in taken:
            number += 1
            username = f"{wanted[name]}-{number}"
        taken.add(name_key(username))
        user = User(username=username, is_active=False, is_simulated=vote_import.is_simulated)
        user.set_unusable_password()
        users.append(user)
    created = User.objects.bulk_create(users, batch_size=1000)
    rows = [ImportedAnnotator(campaign=campaign, user=user, name=name) for name, user in zip(new, created, strict=True)]
    ImportedAnnotator.objects.bulk_create(rows, batch_size=1000)
    return known | {row.name: row.user_id for row in rows}


def _user_name(campaign: Campaign, name: str) -> str:
    """Return a user name that shows where the person comes from, such as 'oasis.12'."""
    return f"{campaign.slug}.{_NOT_IN_USER_NAMES.sub('-', name)}"[:_NAME_ROOM]


def _digest(path: Path, *, of_folder: bool) -> tuple[str, int]:
    """Return the SHA-256 of a file and the number of its line ends. Raises OSError.

    of_folder: a folder has the SHA-256 of the paths in it, because they say the classes.
    """
    digest, lines = hashlib.sha256(), 0
    if of_folder and path.is_dir():
        for name in sorted(str(one.relative_to(path)) for one in path.rglob("*")):
            digest.update(text_encodable(name).encode() + b"\n")
        return digest.hexdigest(), 0
    with path.open("rb") as file:
        while piece := file.read(1024**2):
            digest.update(piece)
            lines += piece.count(b"\n")
    return digest.hexdigest(), lines


def _is_stored(vote_import: VoteImport) -> bool:
    """Return whether the rows of the import are in the database."""
    return VoteImport.objects.filter(pk=vote_import.pk).exclude(sha256="").exists()


def _close(vote_import: VoteImport, message: str, problems: Collection[tuple[int, str]] = ()) -> VoteImport:
    VoteImport.objects.filter(pk=vote_import.pk).update(
        state=VoteImport.State.FAILED if message else VoteImport.State.DONE,
        message=text_storable(message),
        problems=[[line, text_storable(why)] for line, why in problems],
        step="",
        finished_at=timezone.now(),
    )
    vote_import.refresh_from_db()
    return vote_import


def _scale_text(scale: tuple[int, int]) -> str:
    return f"{scale[0]} to {scale[1]}"
