"""Models looking at photos: backbones, features, predictions."""
