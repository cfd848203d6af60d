"""Statistics that every app uses: opinion scores, agreement, model metrics, intervals. Pure."""
