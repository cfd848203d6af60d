"""Four distortion detectors and their combination. Pure numpy: no Django, no Celery, no model class."""
