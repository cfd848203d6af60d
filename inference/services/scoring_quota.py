"""How many photos a user may have scored in an hour, and why photos are not accepted for scoring."""

from django.utils.translation import gettext

from annotation.models import HourlyUse, User
from annotation.services.quotas import Quota, QuotaUsedUp, quota_find, quota_take


class ScoringRefused(Exception):
    """The photos are not accepted; the message says why."""


class ScoringBusy(ScoringRefused):
    """Earlier photos of the user still wait for a worker. A later try may succeed."""


class ScoringNoSpace(ScoringRefused):
    """The server's disk has no space for the photos."""


class ScoringLimitReached(ScoringRefused):
    """The user has used what one hour allows. `retry_after`: seconds until the next hour."""

    def __init__(self, sentence: str, quota: Quota) -> None:
        super().__init__(sentence)
        self.retry_after = quota.retry_after


def scored_photos_quota(user: User) -> Quota | None:
    """Return how many photos the user can still send in this hour; None without a limit."""
    return quota_find(user=user, kind=HourlyUse.Kind.SCORED_PHOTOS)


def scoring_quota_take(user: User, photos: int) -> None:
    """Use up a part of the user's limit for this hour. Raises ScoringLimitReached."""
    seconds = quota_find(user=user, kind=HourlyUse.Kind.SCORING_SECONDS)
    if seconds is not None and not seconds.left:
        raise ScoringLimitReached(_seconds_sentence(seconds), seconds)
    try:
        quota_take(user=user, kind=HourlyUse.Kind.SCORED_PHOTOS, amount=photos)
    except QuotaUsedUp as used_up:
        quota = used_up.quota
        raise ScoringLimitReached(
            gettext(
                "You can score %(limit)s photos an hour, and %(left)s are left. You can score more at %(until_text)s."
            )
            % {"limit": f"{quota.limit:,}", "left": f"{quota.left:,}", "until_text": quota.until_text},
            quota,
        ) from used_up


def seconds_used_up(user_id: int) -> str:
    """Return the reason why the user's photos are not scored in this hour, or ""."""
    user = User.objects.filter(pk=user_id).first()
    quota = quota_find(user=user, kind=HourlyUse.Kind.SCORING_SECONDS) if user else None
    return "" if quota is None or quota.left else _seconds_sentence(quota)


def _seconds_sentence(quota: Quota) -> str:
    return gettext(
        "Scoring your photos has taken %(limit)s seconds in this hour, as long as is allowed. "
        "You can score more at %(until)s."
    ) % {"limit": f"{quota.limit:,}", "until": quota.until_text}
