"""The watch threshold at which a version decides."""

from inference.models import ModelVersion


def deployed_threshold(version: ModelVersion) -> float:
    """Return the watch probability above which the version decides 'watch', in [0, 1].

    The campaign must be loaded with the version.
    """
    return version.campaign.watch_threshold
