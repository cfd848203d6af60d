"""Model versions of a campaign with the heads of `tests.inference.tiny_models`."""

from annotation.models import Campaign
from inference.models import ModelVersion
from inference.networks.model_files import checksum
from inference.scoring.rows import Rules
from inference.serving import runtime
from tests.inference.tiny_models import SYNSETS, heads_write

BACKBONE = "efficientnet_lite0"


def version_of(campaign: Campaign, number: int, *, champion: bool, threshold: float = 0.9) -> ModelVersion:
    """Store a version of the campaign with the file that predicts. The backbone must be in place."""
    version = ModelVersion(
        campaign=campaign,
        number=number,
        backbone=runtime.features_key(BACKBONE),
        folder=f"{campaign.slug}/v{number}",
        recipe={"synsets": list(SYNSETS), "bins": campaign.bins, "scale_min": campaign.scale_min},
        watch_threshold=threshold,
        is_champion=champion,
    )
    version.path.mkdir(parents=True)
    heads_write(version.path / "heads.onnx", Rules(SYNSETS, campaign.scale_min, campaign.bins))
    version.checksum = checksum(version.path / "heads.onnx")
    version.save()
    return version
