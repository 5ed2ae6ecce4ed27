"""Processes that stand beside the client: each says where it is in one line of JSON, and ends when its parent does."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from tests.bench.machine import pinned

_ROOT = Path(__file__).parents[2]
_END_SECONDS = 20


class NeverStood(RuntimeError):
    """A process ended before it said where it is."""


@dataclass(slots=True)
class Standing:
    """A running process and what it said of itself. ``close`` ends it."""

    name: str
    process: "subprocess.Popen[str]"
    facts: Mapping[str, Any]

    @property
    def url(self) -> str:
        return str(self.facts["url"])

    @property
    def pid(self) -> int:
        """Of the process that serves, where that is not the one we started."""
        return int(self.facts.get("pid", self.process.pid))

    def close(self) -> None:
        """Closes its standard input, and waits; kills it where that does not help."""
        if self.process.stdin is not None:
            self.process.stdin.close()
        try:
            self.process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def start(
    name: str, command: Sequence[str], *, core: int, environment: Mapping[str, str] | None = None, log: Path
) -> Standing:
    """Returns when the process has said where it is; ``log`` takes its standard error.

    Raises:
        NeverStood
    """
    with pinned(core), log.open("w") as errors:
        process = subprocess.Popen(
            command,
            cwd=_ROOT,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
    line = process.stdout.readline() if process.stdout is not None else ""
    if not line:
        process.communicate()
        raise NeverStood(f"{name} ended with {process.returncode}: {log.read_text()[-2_000:]}")
    return Standing(name, process, json.loads(line))


def module(name: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", f"tests.bench.{name}", *arguments]


def stand(facts: Mapping[str, Any]) -> None:
    """In the process itself: say where it is, and return when the parent closed our standard input or is gone."""
    say(facts)
    sys.stdin.read()


def say(facts: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(facts) + "\n")
    sys.stdout.flush()


def when_left_alone(act: Callable[[], None]) -> None:
    """Run ``act`` in a thread once the parent closed our standard input or is gone."""

    def wait() -> None:
        sys.stdin.read()
        act()

    threading.Thread(target=wait, daemon=True).start()
