"""Which packages are installed, and how they are checked. No app imports this folder."""
