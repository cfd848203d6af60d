"""Find a Chromium for the browser tests, or install one: `python -m tests.browser.chromium`."""

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
    """Return the path in IQS_CHROMIUM, the Chromium of the system or that of Playwright, or None if none exists."""
    path_from_environment = os.environ.get("IQS_CHROMIUM")
    if path_from_environment:
        return Path(path_from_environment) if Path(path_from_environment).exists() else None
    for name in _NAMES:
        if installed := shutil.which(name):
            return Path(installed)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        bundled = Path(playwright.chromium.executable_path)
    return bundled if bundled.exists() else None


def chromium_install() -> bool:
    """Try the download of Playwright, then the Debian package. Return True if there is a Chromium now."""
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
    if chromium_path() is None and not chromium_install():
        print(BANNER, file=sys.stderr)
