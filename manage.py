#!/usr/bin/env python
"""Django's command line. Commands that need the database find it, or start the embedded one."""

import os
import sys

# These run without a database: starting a server for them would only cost time.
_WITHOUT_DATABASE = {
    "help",
    "collectstatic",
    "score",
    "quickstart",
    "smoke",
    "train_prior",
    "check",
    "--help",
    "--version",
}


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "iqs_site.settings")
    command = sys.argv[1] if len(sys.argv) > 1 else "help"
    if "DATABASE_URL" not in os.environ and command not in _WITHOUT_DATABASE:
        from iqs_site import embedded

        try:
            os.environ["DATABASE_URL"] = embedded.postgres_attach()
        except embedded.EmbeddedError as error:
            sys.exit(f"iqs: {error}")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(f"iqs: {error}")


if __name__ == "__main__":
    main()
