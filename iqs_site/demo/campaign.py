"""Creates the demo campaign in an empty database and lets simulated annotators give part of its answers."""

import math
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from annotation.models import Campaign, Image, ImportBatch, Role, User
from annotation.selectors.progress import campaign_progress
from annotation.services.batches import folder_import
from annotation.services.campaigns import campaign_create
from annotation.services.members import member_set, user_create
from inference.selectors import backlog
from iqs_site.demo.accounts import LOGINS, password_get_or_make, passwords
from iqs_site.demo.annotators import Account, PanelReport, PanelRun, PanelSession
from iqs_site.demo.panel import Panel
from iqs_site.demo.photos import PHOTO_COUNT, DemoPhoto, photos_plan, photos_write
from iqs_site.demo.special import special_photos_make
from iqs_site.instance.models_install import models_install

Report = Callable[[str], None]

SLUG = "demo"
#: Photos that are drawn before the site is served, so that people can begin to rate.
FIRST_PHOTOS = 12
#: Photos that are drawn and then imported together: more come to the queue before a person has rated the last ones.
_TOGETHER = 40
# The name that pages show for these imports.
_FOLDER = "demo-photos"
#: Share of all votes that the simulated annotators give; people can give the rest.
SIMULATED_SHARE = 0.85
SPEED_FACTOR = 5.0  # slow enough to watch, and for training runs to happen in between
DESCRIPTION = (
    "A demonstration. The photos are drawn by the program, each with a known fault, and ten of its annotators are "
    "simulated: programs that measure the pixels and have their own bias, inconsistency and taste."
)
INSTRUCTIONS = """\
Look at the photo as a whole, then answer two questions.

1. Does it show a watch or a clock? Any kind counts, whole or in part. Say 'unsure' rather than guess.

2. How good does the photo look, from 1 (unusable) to 10 (nothing could be better)? Rate the photo, not the object: \
sharpness, noise, light, colour and traces of compression. A plain object can be in a perfect photo.

Use the whole scale, go with the first impression, and do not go back to make your answers agree with each other.
"""


class DemoError(RuntimeError):
    """The demo cannot continue; the message says why."""


def demo_prepare(report: Report, *, count: int = PHOTO_COUNT, first: int | None = None) -> None:
    """Create the demo campaign with its accounts and `count` photos, unless the database has another campaign.

    `first`: stop when so many photos are there. A second call completes the first one, or one that was interrupted.
    `report` is called with one line at a time. Raises DemoError when photos could not be imported.
    """
    campaign = Campaign.objects.filter(addresses__slug=SLUG).first()
    if campaign is None:
        if Campaign.objects.exists():
            return
        campaign = _campaign_make(report)
    _people_join(campaign)
    plan = photos_plan(count)
    there = set(Image.objects.filter(campaign=campaign).values_list("name", flat=True))
    missing = [photo for photo in plan if photo.name not in there]
    if first is not None:
        missing = missing[: max(0, first - len(there))]
    for begin in range(0, len(missing), _TOGETHER):
        _photos_add(campaign, missing[begin : begin + _TOGETHER])
        done = count - len(missing) + min(begin + _TOGETHER, len(missing)) if first is None else len(missing)
        report(f"demo: {done} of {count} photos are there")
    if first is None and (set_aside := special_photos_make(campaign)):
        report(f"demo: {set_aside} photos used as practice, example and gold photos")


def _photos_add(campaign: Campaign, plan: list[DemoPhoto]) -> None:
    """Draw the photos of the plan and import them. Raises DemoError when they could not be imported."""
    with TemporaryDirectory(prefix="iqs-demo-") as temporary:
        folder = Path(temporary) / _FOLDER
        folder.mkdir()
        for _ in photos_write(folder, plan):
            pass
        details = {photo.name: photo.details for photo in plan}
        batch = folder_import(campaign=campaign, source=folder, details=details)
    if batch.state != ImportBatch.State.DONE or batch.rejected:
        raise DemoError(f"the demo photos could not be imported: {batch.message or 'some were rejected.'}")


def demo_annotate(url: str, report: Report, *, wait_seconds: float = 900.0, share: float = SIMULATED_SHARE) -> None:
    """Let the simulated annotators give `share` of the demo's votes through the site at `url`.

    Waits up to `wait_seconds` until the site answers and every photo has a prediction; raises DemoError when they do
    not. The installation of the models does not count as waiting. Does nothing when there is no demo campaign or the
    share is already reached.
    """
    campaign = Campaign.objects.filter(addresses__slug=SLUG, state=Campaign.State.ACTIVE).first()
    accounts = panel_accounts(Panel())
    if campaign is None or not accounts:
        return
    progress = campaign_progress(campaign)
    wanted = math.ceil(share * progress.votes_wanted) - progress.votes_given
    if wanted <= 0:
        return
    report("demo: simulated annotators are waiting for predictions")
    _predictions_wait(campaign, url, wait_seconds)
    report("demo: every photo has a prediction")

    def show(answers: int) -> None:
        if answers % 50 == 0:
            report(f"demo: simulated annotators gave {answers} of {wanted} answers")

    done = panel_play(campaign, url, accounts, limit=wanted, speed_factor=SPEED_FACTOR, progress=show)
    report(f"demo: simulated annotators gave {done.answers} answers in {done.seconds:.0f} s; you can give the rest")


def panel_accounts(panel: Panel) -> list[Account]:
    """Return the panel's annotators that have a demo account, with their passwords."""
    known = passwords()
    return [
        Account(annotator, known[annotator.username]) for annotator in panel.annotators() if annotator.username in known
    ]


def panel_play(
    campaign: Campaign,
    url: str,
    accounts: list[Account],
    *,
    limit: int | None = None,
    speed_factor: float | None = None,
    progress: Callable[[int], None] | None = None,
) -> PanelReport:
    """Let simulated annotators answer a campaign's photos. `Image.details` tells them which photos show a watch."""
    known = Image.objects.filter(campaign=campaign, details__has_key="watch").values_list("name", "details__watch")
    session = PanelSession(
        url=url,
        slug=campaign.slug,
        truth={name: bool(watch) for name, watch in known},
        lowest=campaign.scale_min,
        highest=campaign.scale_max,
        limit=limit,
        speed_factor=speed_factor,
    )
    return PanelRun(session, Panel(), accounts, progress).run()


def _campaign_make(report: Report) -> Campaign:
    report("demo: creating the campaign")
    return campaign_create(
        by=_user("admin"),
        slug=SLUG,
        name="Watches (demo)",
        description=DESCRIPTION,
        instructions=INSTRUCTIONS,
        backbone=Campaign.Backbone.FAST,  # so that the first predictions are there sooner
        holdout_fraction=0.3,  # large, because a small holdout shows no difference between models
        train_after=200,
        promote_automatically=True,
        repeat_share=0.04,
    )


def _people_join(campaign: Campaign) -> None:
    """Create the accounts and roles of the demo that do not exist yet."""
    members = set(campaign.memberships.values_list("user__username", flat=True))
    for name in [*LOGINS, *(annotator.username for annotator in Panel().annotators())]:
        if name not in members:
            member_set(campaign=campaign, user=_user(name), role=Role(LOGINS.get(name, "annotator")))


def _user(name: str) -> User:
    """Return the account with this name; create it when it does not exist. An existing one keeps its password."""
    user = User.objects.filter(username=name).first()
    if user is not None:
        return user
    simulated = name not in LOGINS
    user = user_create(username=name, password=password_get_or_make(name), is_simulated=simulated)
    if simulated:
        user.first_name, user.last_name = "Simulated", f"annotator {name.rpartition('-')[2]}"
    elif LOGINS[name] == Role.ADMIN:  # Django's admin has the schedule of training
        user.is_staff = user.is_superuser = True
    user.save(update_fields=["first_name", "last_name", "is_staff", "is_superuser"])
    return user


def _predictions_wait(campaign: Campaign, url: str, wait_seconds: float) -> None:
    until = time.monotonic() + wait_seconds
    while True:
        state = backlog(campaign)
        # No model looks at a photo that somebody has withdrawn meanwhile.
        images = Image.objects.filter(campaign=campaign, withdrawn_at=None).count()
        waiting = images - state.predicted - state.failed
        if waiting <= 0 and _site_answers(url):
            return
        if models_install() is not None:  # no worker can run yet
            until = time.monotonic() + wait_seconds
        elif time.monotonic() > until:
            raise DemoError(
                f"the site at {url} does not answer."
                if waiting <= 0
                else f"{waiting} of {images} demo photos have no prediction yet; is a worker running?"
            )
        time.sleep(1)


def _site_answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health", timeout=5).is_success
    except httpx.TransportError:
        return False
