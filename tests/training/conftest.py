"""Fixtures: photos with answers, and model versions with known predictions."""

import hashlib
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest


@pytest.fixture
def make_rated_images(campaign: Any, people: dict[str, Any], make_user: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that adds photos (without files) and answers to the campaign.

    `votes` is the number of answers per photo. `features` is the length of each feature vector; 0 stores no features.
    Quality is one of the factors behind the features, so a model can learn it. Each returned image has the attributes
    `quality` and `is_watch`.
    """
    from annotation.models import Annotation, Image
    from inference.models import Feature
    from inference.selectors import backbone_key

    annotators = [people["alice"], people["bob"]]

    def make(*, train: int = 0, holdout: int = 0, votes: int = 2, features: int = 0, seed: int = 0) -> list[Image]:
        rng = np.random.default_rng(seed)
        while len(annotators) < votes:
            annotators.append(make_user(f"annotator-{len(annotators)}"))
        images = Image.objects.bulk_create(
            Image(
                campaign=campaign,
                name=f"photo-{seed}-{number}.jpg",
                sha256=hashlib.sha256(f"{seed} {number}".encode()).hexdigest(),
                suffix=".jpg",
                byte_size=1,
                width=8,
                height=8,
                phash=number,
                split=Image.Split.TRAIN if number < train else Image.Split.HOLDOUT,
                queue_position=rng.random(),
            )
            for number in range(train + holdout)
        )
        # A few factors differ between photos, and each factor changes many features, as in real photos.
        factors = rng.normal(size=(len(images), 6))
        loadings = np.random.default_rng(0).normal(size=(6, max(features, 8))) / np.sqrt(6)
        vectors = factors @ loadings + 0.3 * rng.normal(size=(len(images), max(features, 8)))
        feature_vectors = _like_prior_features(vectors).astype("<f2")
        answers = []
        for image, factor in zip(images, factors, strict=True):
            image.quality = 5.5 + 2.0 * float(factor[0])
            image.is_watch = bool(factor[1] > 0)
            for annotator in annotators[:votes]:
                answers.append(
                    Annotation(
                        client_id=uuid.uuid4(),
                        campaign=campaign,
                        image=image,
                        annotator=annotator,
                        watch="yes" if image.is_watch else "no",
                        score=int(np.clip(round(image.quality + rng.normal(0, 1)), 1, 10)),
                    )
                )
        Annotation.objects.bulk_create(answers)
        if features:
            Feature.objects.bulk_create(
                Feature(
                    image=image, backbone=backbone_key(""), state=Feature.State.DONE, vector=vector[:features].tobytes()
                )
                for image, vector in zip(images, feature_vectors, strict=True)
            )
        return images

    return make


def _like_prior_features(vectors: np.ndarray) -> np.ndarray:
    """Scale vectors to the mean and standard deviation of the features of the shipped prior.

    Vectors of another length are returned unchanged.
    """
    from safetensors.numpy import load_file

    from inference.networks.config import EFFICIENTNET_LITE0

    if vectors.shape[1] != EFFICIENTNET_LITE0.feature_size:
        return vectors
    import inference

    prior = load_file(
        Path(inference.__file__).parent / "weights" / "quality_prior" / "efficientnet_lite0" / "heads.safetensors"
    )
    size = len(prior["feature_mean"])
    classes = vectors[:, size:] - np.log(np.exp(vectors[:, size:]).sum(axis=1, keepdims=True))
    return np.concatenate([vectors[:, :size] * prior["feature_std"] + prior["feature_mean"], classes], axis=1)


@pytest.fixture
def make_version(campaign: Any, settings: Any) -> Callable[..., Any]:
    """Return a function that stores a version with a valid file. `predict` is {image: (mean, watch probability)}."""
    from inference.models import ModelVersion, Prediction

    def make(number: int, *, champion: bool = False, predict: dict[Any, tuple[float, float]] | None = None) -> Any:
        folder = Path(settings.MODELS_ROOT) / f"{campaign.pk}/v{number}"
        folder.mkdir(parents=True)
        content = f"heads of version {number}".encode()
        (folder / "heads.onnx").write_bytes(content)
        version = ModelVersion.objects.create(
            campaign=campaign,
            number=number,
            backbone="tiny@0",
            folder=f"{campaign.pk}/v{number}",
            checksum=hashlib.sha256(content).hexdigest(),
            recipe={"seed": 1, "full_decays": [0.1, 0.03]},
            is_champion=champion,
        )
        scores = np.arange(1, 11)
        rows = []
        for image, (mean, probability) in (predict or {}).items():
            distribution = np.exp(-0.5 * (scores - mean) ** 2)
            distribution /= distribution.sum()
            rows.append(
                Prediction(
                    image=image,
                    model_version=version,
                    watch_probability=probability,
                    synset_probabilities=[probability, 0, 0, 0, 0],
                    quality_mean=mean,
                    quality_std=1.0,
                    distribution=distribution.tolist(),
                )
            )
        Prediction.objects.bulk_create(rows)
        return version

    return make
