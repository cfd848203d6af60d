"""Management of iqs_site."""
