"""The figures of the calibration page: a model version compared with people, as dataclasses without arrays. Pure."""
