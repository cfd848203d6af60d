"""Tools for the texts of other languages: `make messages`. No app imports them; they need polib."""
