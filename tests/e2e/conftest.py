"""Programs run as a user runs them: separate processes, their own home, ports of their own."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from .forking import forking

ROOT = Path(__file__).parents[2]
MINTERY = [sys.executable, "-m", "mintery.cli"]
_STOP_SECONDS = 30


@dataclass(frozen=True)
class Ended:
    """A command that has run. ``facts`` reads its standard output as JSON."""

    code: int
    out: str
    err: str

    @property
    def facts(self) -> dict[str, Any]:
        return json.loads(self.out)


def environment(home: Path, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MINTERY_", "OPENAI_"))}
    return {**kept, "MINTERY_HOME": str(home), **more}


def run(*command: str, env: dict[str, str], cwd: Path = ROOT) -> Ended:
    """A command of Python's, in a process of its own that need not import other people's packages (tests/e2e/forking.py)."""
    assert command[0] == sys.executable
    return Ended(*forking().run(command, env, cwd, 120))


@contextmanager
def serving(*arguments: str, env: dict[str, str]) -> Iterator[dict[str, Any]]:
    """A `mintery` command that serves; the JSON object it prints when it is ready. It must end well when told to."""
    command = [*MINTERY, *arguments, "--json"]
    with subprocess.Popen(
        command, env=env, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield _first_object(process)
        finally:
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=_STOP_SECONDS)
        assert process.returncode == 0, errors


def _first_object(process: "subprocess.Popen[str]") -> dict[str, Any]:
    lines = []
    assert process.stdout is not None
    for line in process.stdout:
        lines.append(line)
        if line.rstrip() == "}":
            return json.loads("".join(lines))
    process.wait()
    assert process.stderr is not None
    raise AssertionError(f"it ended with {process.returncode}: {''.join(lines)}{process.stderr.read()}")


Mintery = Callable[..., Ended]


@dataclass(frozen=True)
class Chain:
    """`mintery devchain` in its own process, and the home of whoever works on it."""

    url: str
    env: dict[str, str]

    def mintery(self, *arguments: str) -> Ended:
        return run(*MINTERY, *arguments, "--json", env=self.env)

    def script(self, name: str, *arguments: str) -> Ended:
        return run(sys.executable, f"scripts/{name}", *arguments, "--rpc", self.url, env=self.env)


@pytest.fixture(scope="module")
def devchain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    home = tmp_path_factory.mktemp("home")
    with serving("devchain", "--port", "0", env=environment(home)) as served:
        yield Chain(served["rpc_url"], environment(home, MINTERY_RPC_URL=served["rpc_url"]))


@dataclass(frozen=True)
class Up:
    """`mintery up` in its own process: what it printed, and an environment to reach it with."""

    facts: dict[str, Any]
    env: dict[str, str]

    @property
    def base_url(self) -> str:
        return self.facts["base_url"]

    @property
    def api_key(self) -> str:
        return self.facts["api_key"]

    def mintery(self, *arguments: str) -> Ended:
        return run(*MINTERY, *arguments, "--json", env=self.env)


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    home = tmp_path_factory.mktemp("home")
    env = environment(home, MINTERY_SETTLEMENT_INTERVAL="1", MINTERY_RESERVE_INTERVAL="1")
    with serving("up", "--port", "0", "--rpc-port", "0", env=env) as facts:
        reach = {
            "MINTERY_RPC_URL": facts["rpc_url"],
            "MINTERY_URL": facts["base_url"],
            "MINTERY_API_KEY": facts["api_key"],
        }
        yield Up(facts, environment(home, **reach))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests that need a real model server run only where `-m` asks for them."""
    if "model" in (config.getoption("-m") or ""):
        return
    chosen = [item for item in items if item.get_closest_marker("model") is None]
    config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
    items[:] = chosen
