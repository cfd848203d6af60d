"""One file with everything of an instance: database, photos, models, waiting uploads and settings."""
