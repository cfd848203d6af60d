"""Commands of iqs_site."""
