"""What other apps may want to know. They import this app, so it can tell them only by signals."""

from django.dispatch import Signal

#: Photos were added to a campaign (`campaign_id`). Sent by workers and commands, after the import.
photos_added = Signal()
