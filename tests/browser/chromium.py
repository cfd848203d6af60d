"""Finds a Chromium for the browser tests, and gets one where it can: `python -m tests.browser.chromium`."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
WITHOUT_CHROMIUM = "no Chromium on this machine: the browser tests do not run"
BANNER = """
********************************************************************************
  NO CHROMIUM: THE BROWSER TESTS DO NOT RUN.
  Install chromium (or set IQS_CHROMIUM to its path) and run `make test` again.
********************************************************************************
"""


def chromium_path() -> Path | None:
    """Return a Chromium: the one that IQS_CHROMIUM names, the system's, or Playwright's own; None without any."""
    named = os.environ.get("IQS_CHROMIUM")
    if named:
        return Path(named) if Path(named).exists() else None
    for name in _NAMES:
        if found := shutil.which(name):
            return Path(found)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        own = Path(playwright.chromium.executable_path)
    return own if own.exists() else None


def chromium_get() -> bool:
    """Try Playwright's download, then Debian's package; return whether there is a Chromium now."""
    attempts = [[sys.executable, "-m", "playwright", "install", "chromium"]]
    if os.geteuid() == 0 and shutil.which("apt-get"):
        attempts += [["apt-get", "update", "-q"], ["apt-get", "install", "-y", "-q", "chromium"]]
    for command in attempts:
        print(f"no Chromium yet; trying: {' '.join(command)}", flush=True)
        subprocess.run(command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=600)
        if chromium_path() is not None:
            return True
    return False


if __name__ == "__main__":
    if chromium_path() is None and not chromium_get():
        print(BANNER, file=sys.stderr)
