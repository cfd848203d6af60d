"""Django's administration of the tables, in the frame of the app."""
