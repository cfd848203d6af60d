"""Statistics that every app uses: opinions, agreement, models against people, intervals. Pure."""
