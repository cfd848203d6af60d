#!/usr/bin/env python
"""Django's command line. Starts the embedded database when a command needs one and DATABASE_URL is not set."""

import os
import sys

# These commands need no database, so no server is started for them.
_WITHOUT_DATABASE = {
    "help",
    "collectstatic",
    "score",
    "quickstart",
    "smoke",
    "train_prior",
    "watch_thresholds",
    "check",
    "--help",
    "--version",
}


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "iqs_site.settings")
    command = sys.argv[1] if len(sys.argv) > 1 else "help"
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line
    from django.db import OperationalError

    from iqs_site.instance import embedded

    try:
        if not os.environ.get("DATABASE_URL") and command not in _WITHOUT_DATABASE:
            os.environ["DATABASE_URL"] = embedded.postgres_attach()
        execute_from_command_line(sys.argv)
    except (ImproperlyConfigured, embedded.EmbeddedError) as error:
        sys.exit(f"iqs: {error}")
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", None) is not None:
            raise  # the server answered, so the error is about a statement
        sys.exit(f"iqs: the database does not answer: {' '.join(str(error).split())}")


if __name__ == "__main__":
    main()
