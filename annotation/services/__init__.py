"""Functions that change data of the annotation app. Each makes one change in one transaction."""
