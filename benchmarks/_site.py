"""A running instance with a campaign of photos, for benchmarks over HTTP. Not a benchmark."""

import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import django
from django.core.management import call_command

from iqs_site.instance import embedded

SLUG = "bench"


@contextmanager
def site_running(folder: Path, files: Sequence[Path], usernames: Sequence[str]) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield the address of an instance in `folder`, and {user name: password} of its annotators.

    Every annotator can answer every photo of its campaign `SLUG`. Call this once per process.
    """
    with embedded.valkey_running(folder) as broker:
        os.environ |= {
            "IQS_VAR": str(folder),
            "DATABASE_URL": embedded.postgres_attach(folder),
            "REDIS_URL": broker,
        }
        passwords = _campaign_make(folder, files, usernames)

        # Imported here, because it loads the settings, which read the variables above.
        from iqs_site.instance.supervisor import Instance

        with Instance(folder, 0, quiet=True) as instance:
            yield instance.url, passwords


def _campaign_make(folder: Path, files: Sequence[Path], usernames: Sequence[str]) -> dict[str, str]:
    """Create the campaign, its photos and its annotators; return {user name: password}."""
    django.setup()
    call_command("migrate", verbosity=0)
    from annotation.models import Role
    from annotation.services.batches import folder_import
    from annotation.services.campaigns import campaign_create
    from annotation.services.members import member_set, user_create

    passwords = {name: secrets.token_urlsafe(12) for name in usernames}
    first, *others = [user_create(username=name, password=password) for name, password in passwords.items()]
    votes = len(usernames)
    campaign = campaign_create(by=first, slug=SLUG, name="Benchmark", votes_per_image=votes, holdout_votes=votes)
    for user in others:
        member_set(campaign=campaign, user=user, role=Role.ANNOTATOR)
    chosen = folder / "chosen"
    chosen.mkdir()
    for number, file in enumerate(files):
        (chosen / f"{number}{file.suffix}").write_bytes(file.read_bytes())
    folder_import(campaign=campaign, source=chosen)
    return passwords
