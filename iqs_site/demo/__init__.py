"""The demo campaign: generated photos and simulated annotators."""
