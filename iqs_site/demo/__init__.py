"""The demo campaign: photos made on the spot and simulated annotators."""
