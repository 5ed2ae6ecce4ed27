"""Several gateway processes on one PostgreSQL and one chain, each of which may be killed at any moment."""

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ROOT = Path(__file__).parents[2]
OPERATOR = "operator-key-of-the-fleet"
MODEL = "test/chat"
SECONDS = 60
"""Longest wait for a process to be ready: the machine may be busy."""


@dataclass(frozen=True)
class Site:
    """What all processes share: ``url`` of the chain, files that they read, one API key for each account."""

    url: str
    deployment: str
    prices: str
    providers: str
    home: str
    keys: tuple[str, ...]

    def environment(self, ledger: str, **more: str) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("MINTERY_", "OPENAI_"))}
        named = {
            "HOME": self.home,
            "RPC_URL": self.url,
            "DEPLOYMENT": self.deployment,
            "PRICE_FILES": self.prices,
            "GENAI_PRICES": "false",
            "PROVIDERS": self.providers,
            "OPERATOR_KEY": OPERATOR,
            "LEDGER": ledger,
            "SETTLEMENT_INTERVAL": "1",
            "MARKET_INTERVAL": "1",
            "SYNC_INTERVAL": "1",
            "RECONCILE_INTERVAL": "3",
            "EXPIRY_INTERVAL": "1",
            "PRICE_INTERVAL": "5",
            **more,
        }
        return kept | {f"MINTERY_{name}": value for name, value in named.items()}


@contextmanager
def site(home: Path, upstream: str, accounts: int) -> Iterator[Site]:
    """A chain in a process of its own, with a deployment, prices in force and accounts that hold credits."""
    command = [sys.executable, "-m", "tests.bench.deployment", str(home), upstream, str(accounts)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as standing:
        assert standing.stdin is not None
        assert standing.stdout is not None
        try:
            facts = json.loads(standing.stdout.readline())
            yield Site(
                facts["url"],
                facts["deployment"],
                facts["prices"],
                _with_short_calls(Path(facts["providers"])),
                str(home),
                tuple(facts["keys"]),
            )
        finally:
            standing.stdin.close()


def _with_short_calls(providers: Path) -> str:
    """A hold's lease is the longest call and half a minute: a test that kills processes waits for no ten minutes."""
    written = json.loads(providers.read_text())
    for provider in written["providers"]:
        provider |= {"first_byte_seconds": 5, "idle_seconds": 5, "total_seconds": 5}
    path = providers.with_name("short.json")
    path.write_text(json.dumps(written))
    return str(path)


@dataclass
class Serving:
    """``mintery serve`` as an operator runs it. ``facts`` are what it said when it was ready."""

    process: "subprocess.Popen[str]"
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return str(self.facts["base_url"])

    def wait_until_ready(self) -> "Serving":
        """Raises AssertionError with what it said, if it ended instead."""
        assert self.process.stdout is not None
        lines: list[str] = []
        for line in self.process.stdout:
            lines.append(line)
            if line.rstrip() == "}":
                self.facts = json.loads("".join(lines))
                break
        if "base_url" in self.facts:
            return self
        self._close()
        raise AssertionError(f"it ended with {self.process.wait()}: {''.join(lines)}")

    def get(self, path: str, key: str = OPERATOR) -> Any:
        """``path`` below the base URL's own (``/v1``)."""
        return self.ask("GET", path, None, key)[1]

    def chat(self, key: str, text: str = "hello", **headers: str) -> tuple[int, Any]:
        body = {"model": MODEL, "messages": [{"role": "user", "content": text}], "max_tokens": 20}
        return self.ask("POST", "/chat/completions", body, key, **headers)

    def ask(self, method: str, path: str, body: object, key: str, **headers: str) -> tuple[int, Any]:
        parts = urlsplit(self.url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=SECONDS)
        sent = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            connection.request(method, parts.path + path, json.dumps(body) if body is not None else None, sent)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        self._close()

    def stop(self, seconds: float = SECONDS) -> int:
        """Ask it to stop; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(seconds)
        self._close()
        return code

    def _close(self) -> None:
        if self.process.stdout is not None:
            self.process.stdout.close()


def launch(environment: Mapping[str, str], *arguments: str, log: Path) -> Serving:
    """Begin to start one; ``wait_until_ready`` is the caller's."""
    command = [sys.executable, "-m", "mintery.cli", "serve", "--json", *arguments]
    with log.open("a") as errors:
        process = subprocess.Popen(
            command, cwd=ROOT, env=dict(environment), stdout=subprocess.PIPE, stderr=errors, text=True
        )
    STARTED.append(process)
    return Serving(process)


STARTED: "list[subprocess.Popen[str]]" = []
"""By this test; whatever of them still runs when it is over is killed."""


def eventually(condition: Callable[[], bool], seconds: float = SECONDS) -> bool:
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


def alive(pid: int) -> bool:
    """Whether the process runs; one that has ended and was not waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
