"""What every program of the site does first: make its files private, and check the settings."""

from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from inference.networks.config import RANDOM, WeightsMissing, backbone_config
from iqs_site.instance.embedded import EmbeddedError

# Each has a message of one sentence. Programs print it instead of a traceback.
SETTING_ERRORS = (ImproperlyConfigured, EmbeddedError, WeightsMissing)


def settings_check() -> None:
    """Load the settings and raise one of SETTING_ERRORS for a wrong value."""
    from django.conf import settings

    backbone_config(settings.IQS_BACKBONE)
    weights = settings.IQS_BACKBONE_WEIGHTS
    if weights not in ("", RANDOM) and not Path(weights).expanduser().is_file():
        raise WeightsMissing(f"The weight file {weights} does not exist; check IQS_BACKBONE_WEIGHTS.")
