"""Networks in PyTorch. Pure: no Django, no Celery, no model class."""
