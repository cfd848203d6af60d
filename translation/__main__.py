"""`python -m translation`: collect the texts of the sources into the catalogs, then compile the catalogs."""

import os

import django

from translation.catalogs import DOMAINS, LOCALE, compile_all, update


def main() -> None:
    """Bring all catalogs up to date and say what is still to translate."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "iqs_site.settings")
    django.setup()
    for domain, texts in DOMAINS.items():
        found = list(texts())
        for path in sorted(LOCALE.rglob(f"{domain}.po")):
            added, removed = update(path, found)
            print(f"{path.relative_to(LOCALE)}: {added} new, {removed} removed")
    compile_all()


main()
