"""Learning heads from votes. Pure: no Django, no Celery, no model class."""
