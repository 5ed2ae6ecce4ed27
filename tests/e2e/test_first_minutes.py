"""The first five minutes, timed: from a clone to a receipt on screen, by what the README says and nothing else.

``.venv/bin/python -m pytest -m deep -s tests/e2e/test_first_minutes.py`` prints what each step takes. Nothing that this
machine has fetched before is used, so it needs a network.
"""

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import expect, sync_playwright
from tests.browser.chromium import launch

from .conftest import ROOT
from .test_readme import PYTHON, SHELL

LIMIT_SECONDS = 300
ANY_PORTS = ("--port", "0", "--rpc-port", "0")
"""The only words that are not the README's: others on this machine may hold its ports."""


def tell(seconds: float, of: str) -> None:
    print(f"\n{seconds:7.1f} s  {of}", end="", flush=True)  # noqa: T201 -- what it is run for


class Watch:
    """What each step took."""

    def __init__(self) -> None:
        self.steps: dict[str, float] = {}

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        begun = time.monotonic()
        yield
        self.steps[name] = time.monotonic() - begun
        tell(self.steps[name], name)

    @property
    def seconds(self) -> float:
        return sum(self.steps.values())


@contextmanager
def started(clone: Path, env: dict[str, str]) -> Iterator[str]:
    """`mintery up` as the README has it; what it prints for a person, once it has printed all of it."""
    command = next(line for line in SHELL if line.endswith("mintery up"))
    up = subprocess.Popen([*command.split(), *ANY_PORTS], cwd=clone, env=env, stdout=subprocess.PIPE, text=True)
    try:
        assert up.stdout is not None
        told = ""
        for line in up.stdout:
            told += line
            if "Ctrl-C" in line:
                break
        yield told
    finally:
        up.send_signal(signal.SIGINT)
        up.communicate(timeout=30)
    assert up.returncode == 0


def found(pattern: str, told: str) -> str:
    match = re.search(pattern, told)
    assert match, told
    return match[1]


def see_the_receipt(pages: str, test_key: str, request_id: str) -> None:
    """In a browser, as a person without a wallet app."""
    with sync_playwright() as playwright:
        browser = launch(playwright)
        page = browser.new_page()
        page.goto(pages)
        page.get_by_text("Trying this out on your own machine?").click()
        page.get_by_label("Test key").fill(test_key)
        page.get_by_role("button", name="Sign in as the test holder").click()
        page.get_by_role("link", name="Activity").first.click()
        page.get_by_role("button", name="test/chat").first.click()
        receipt = page.get_by_role("dialog", name="Receipt")
        expect(receipt).to_contain_text("After: what it cost")
        expect(receipt).to_contain_text(request_id)
        browser.close()


@pytest.mark.deep
def test_the_first_five_minutes(tmp_path: Path) -> None:
    clone, watch = tmp_path / "mintery", Watch()
    kept = {name: word for name, word in os.environ.items() if not name.startswith(("MINTERY_", "VIRTUAL_ENV"))}
    env = kept | {"XDG_CACHE_HOME": str(tmp_path / "cache"), "MINTERY_HOME": str(tmp_path / "home")}
    with watch.step("git clone"):
        subprocess.run(["git", "clone", "--quiet", ROOT, clone], check=True)
    with watch.step("scripts/setup, the first part of scripts/demo"):
        subprocess.run(["scripts/setup"], cwd=clone, env=env, check=True)
    with watch.step(SHELL[0]):
        subprocess.run(SHELL[0].split(), cwd=clone, env=env, check=True, stdout=subprocess.DEVNULL)

    with ExitStack() as ended:
        with watch.step("mintery up"):
            told = ended.enter_context(started(clone, env))
        url, key = found(r"OPENAI_BASE_URL=(\S+)", told), found(r"OPENAI_API_KEY=(\S+)", told)
        program = "\n".join(PYTHON).replace("http://127.0.0.1:8787/v1", url).replace("mv1.…", key)
        program += "\nprint('id', answer._request_id)"
        with watch.step("the README's first paid call"):
            command = [clone / ".venv/bin/python", "-c", program]
            said = subprocess.run(command, cwd=clone, env=env, check=True, stdout=subprocess.PIPE, text=True).stdout
        with watch.step("its receipt on the page"):
            see_the_receipt(found(r"pages +(\S+)", told), found(r"test key +(\S+)", told), found(r"id (\S+)", said))

    tell(watch.seconds, "in all")
    assert watch.seconds < LIMIT_SECONDS, watch.steps
