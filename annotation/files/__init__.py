"""Files on disk, for every app. Pure, and imports nothing of the project."""
