"""Scoring photos with ONNX Runtime and numpy. Pure: no Django, no Celery, no model class."""
