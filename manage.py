#!/usr/bin/env python
"""Django's command line. Starts the embedded database when a command needs one and DATABASE_URL is not set."""

import os
import sys

# What these commands write belongs to the user, so the user's umask decides who can read it.
_OUTPUT_OF_USER = {
    "backbones",
    "collectstatic",
    "export_annotations",
    "export_consensus",
    "export_photos",
    "export_predictions",
    "export_tasks",
    "export_votes",
    "makemigrations",
    "score",
    "train_int8",
    "train_prior",
    "watch_thresholds",
}

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
    from django.core.management import execute_from_command_line
    from django.db import OperationalError, ProgrammingError

    from iqs_site.instance import embedded, private_files
    from iqs_site.start import SETTING_ERRORS, settings_check

    if command not in _OUTPUT_OF_USER:
        private_files.umask_set()
    try:
        if not os.environ.get("DATABASE_URL") and command not in _WITHOUT_DATABASE:
            os.environ["DATABASE_URL"] = embedded.postgres_attach()
        if command != "backbones":  # it helps to find the right value
            settings_check()
        execute_from_command_line(sys.argv)
    except SETTING_ERRORS as error:
        sys.exit(f"iqs: {error}")
    except ProgrammingError as error:
        if getattr(error.__cause__, "sqlstate", None) not in ("42P01", "42703"):  # an unknown table or column
            raise
        sys.exit("iqs: the database is empty, or of an older version of IQS. Run `manage.py migrate` first.")
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", None) is not None:
            raise  # the server answered, so the error is about a statement
        sys.exit(f"iqs: the database does not answer: {' '.join(str(error).split())}")


if __name__ == "__main__":
    main()
