"""Statistics that every app uses: people's opinions, agreement, models against people, intervals. Pure numpy and SciPy."""
