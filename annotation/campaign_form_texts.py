"""The words of the settings page of a campaign: labels and explanations by field."""

from django.utils.translation import gettext_lazy

LABELS = {
    "slug": gettext_lazy("Address"),
    "description": gettext_lazy("Description"),
    "instructions": gettext_lazy("Instructions"),
    "mode": gettext_lazy("Mode"),
    "watch_threshold": gettext_lazy("Watch threshold"),
    "holdout_fraction": gettext_lazy("Holdout fraction"),
    "promote_automatically": gettext_lazy("Promote automatically"),
    "promotion_rule": gettext_lazy("Promotion rule"),
    "votes_per_image": gettext_lazy("Votes per photo"),
    "holdout_votes": gettext_lazy("Votes per holdout photo"),
    "lease_seconds": gettext_lazy("Reserve a photo for (seconds)"),
    "break_minutes": gettext_lazy("Break after (minutes)"),
    "train_after": gettext_lazy("Train after (new answers)"),
    "remove_metadata": gettext_lazy("Remove metadata from photos"),
    "retention_days": gettext_lazy("Delete originals after (days)"),
}

HELP_TEXTS = {
    "slug": gettext_lazy(
        "Letters, digits and hyphens: /campaigns/…/. After a change, old links and open pages still work."
    ),
    "lease_seconds": gettext_lazy("A photo that is not answered in this time can go to another annotator."),
    "reject_at": gettext_lazy(
        "Photos with a mean score up to this value are rejected. Empty: the default of the scale, which is 5 on 1-10."
    ),
    "pending_at": gettext_lazy(
        "Photos with a higher mean score, up to this value, are pending. All others are accepted. "
        "Empty: the default of the scale, which is 6 on 1-10."
    ),
    "break_minutes": gettext_lazy(
        "The page suggests a break after this time. Attention drops after about half an hour. 0: never."
    ),
    "remove_metadata": gettext_lazy(
        "Members get photos without place, time, camera, names, comments and previews. The "
        "picture stays the same to the last pixel. The stored originals keep their metadata."
    ),
    "retention_days": gettext_lazy(
        "Days from closing the campaign until originals and data about devices are deleted. "
        "Answers, predictions and thumbnails stay. This cannot be undone. 0: never."
    ),
    "backbone": gettext_lazy(
        "The network that looks at each photo once. After a change, workers look at all photos again, "
        "and the present model goes on until a model of the new network is better."
    ),
    "train_after": gettext_lazy("A training run starts after this many new answers. 0: never."),
    "retrain_on_drift": gettext_lazy(
        "A training run starts when this week's photos or their scores differ from those that the "
        "champion has learned from, and people have rated photos of 10 groups of near-duplicates among them. "
        "At most once "
        "a week."
    ),
    "holdout_fraction": gettext_lazy("Share of photos that models never learn from. The photos are drawn at import."),
    "promote_automatically": gettext_lazy("A challenger that passes the promotion rule becomes the champion."),
}
