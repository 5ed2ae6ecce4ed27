"""The browser: Debian's own, as `scripts/test` installs it; CHROMIUM names another."""

import os
import shutil

from playwright.sync_api import Browser, Playwright

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")


def launch(playwright: Playwright) -> Browser:
    program = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, PROGRAMS)), None)
    assert program, "no Chromium is installed: scripts/test does it, or set CHROMIUM to one"
    # Root has no sandbox to give; what is loaded here is our own.
    return playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-dev-shm-usage"])
