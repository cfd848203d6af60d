"""A network that was trained on photos recognises the drawn watches."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from annotation.measures.classification import roc_auc
from annotation.models import default_synsets
from inference.networks.backbones import backbone_load
from inference.networks.config import EFFICIENTNET_LITE0
from inference.networks.heads import heads_fresh
from inference.networks.transforms import pixels
from iqs_site.demo.photos import photo_make, photos_plan


@pytest.mark.slow
def test_the_zero_shot_watch_probability_separates_drawn_watches_from_other_photos():
    plan = photos_plan()[:32]
    backbone = backbone_load(EFFICIENTNET_LITE0)
    heads = heads_fresh(EFFICIENTNET_LITE0, bins=10, synsets=tuple(default_synsets()))
    log_odds = []
    with torch.inference_mode():
        for photo in plan:
            picture = Image.open(io.BytesIO(photo_make(photo)))
            features = backbone(torch.from_numpy(pixels(picture, EFFICIENTNET_LITE0.input_size)[np.newaxis].copy()))
            log_odds.append(float(heads.zero_shot(features)[1]))

    assert roc_auc(log_odds, [bool(photo.watch) for photo in plan]) >= 0.9
