"""Signals for other apps. They import this app, so this app cannot call them directly."""

from django.dispatch import Signal

#: Photos were added to the campaign `campaign_id`. Workers and commands send it after an import.
photos_added = Signal()

#: Files of photos that were missing or damaged are good again: `image_ids`. Sent after the commit.
photos_restored = Signal()

#: The files of photos were deleted for good, with their thumbnails: `image_ids`.
photos_deleted = Signal()
#: The pixels of photos are others than before, because a new version decodes them differently: `image_ids`. Sent in the
#: transaction, so that receivers change their rows together with the photo's.
photos_changed = Signal()

#: A user was anonymised: `user_id`. Sent in the transaction, so that receivers delete what they know about the person.
user_anonymised = Signal()

#: A login was refused after too many attempts: `username`, as it was typed.
login_locked = Signal()
