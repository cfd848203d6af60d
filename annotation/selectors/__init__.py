"""Functions that read data of the annotation app. Nothing here writes."""
