"""Names of people in what the site keeps about imported files of votes: the file's name, and its wrong lines."""

import re
from pathlib import PurePosixPath

from annotation.models import Campaign, ImportedAnnotator, User, VoteImport

_FORGOTTEN = "This line was about a person who is anonymised."


def import_names_forget(*, user: User) -> None:
    """Replace the names of files that can name this person, and the wrong lines that do. For anonymisation.

    These are files with the votes of this person alone, and files whose name has the person's name in it. Call it
    before the name of the user changes.
    """
    imported = ImportedAnnotator.objects.filter(user=user).first()
    if imported is None:
        return
    name = re.compile(rf"(?<!\w){re.escape(imported.name)}(?!\w)", re.IGNORECASE)
    given = set(VoteImport.objects.filter(annotations__annotator=user).values_list("pk", flat=True))
    for found in VoteImport.objects.filter(campaign=imported.campaign_id):
        source = found.source
        if (found.pk in given and found.annotators == 1) or name.search(source):
            source = _name_without_person(found)
        problems = [[line, _FORGOTTEN if name.search(why) else why] for line, why in found.problems]
        if (source, problems) != (found.source, found.problems):
            VoteImport.objects.filter(pk=found.pk).update(source=source, problems=problems)


def campaign_import_names_forget(*, campaign: Campaign) -> int:
    """Replace the names of all files of votes of a campaign, when its retention time ends. Return their number."""
    imports = list(campaign.vote_imports.exclude(sha256="", state__in=("queued", "running")))
    for found in imports:
        VoteImport.objects.filter(pk=found.pk).update(source=_name_without_person(found), problems=[])
    return len(imports)


def _name_without_person(found: VoteImport) -> str:
    return f"file {found.pk}{PurePosixPath(found.source).suffix[:8]}"
