"""The fork server: a process without threads that has everything ready, and forks a world for each run and a gateway for
each start.
"""

import gc
import json
import os
import resource
import select
import shutil
import signal
import socket
import tempfile
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.faults.base import Base
from tests.faults.dying import die_with_parent
from tests.faults.gateway import Launch, run_gateway
from tests.faults.page import Page
from tests.faults.points import POINTS
from tests.faults.scenario import Scenario

RUN_SECONDS = 90.0
_LOG_LINES = 30

World = Callable[[Scenario, Base, Page, Path, tuple[int, int]], None]
"""Runs a scenario in a process of its own; the last is the ends of its pipes to and from the fork server."""


@dataclass(slots=True)
class Ran:
    """``wrong`` is empty when everything held, or, where a ``breakage`` was exercised, when it was found out. ``deaths`` and
    ``reached`` are points by their words.
    """

    seed: int
    wrong: list[str]
    seconds: float
    breakage: str | None = None
    cpu: float = 0
    trace: list[str] = field(default_factory=list)
    deaths: list[str] = field(default_factory=list)
    reached: dict[str, int] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)


class ForkServer:
    """``base`` and everything imported are shared with every fork, as they are now."""

    def __init__(self, base: Base, page: Page, world: World, prepare: Callable[[Scenario], object]) -> None:
        """``prepare`` begins what a scenario needs that outlives it."""
        self._base, self._page, self._world, self._prepare = base, page, world, prepare
        self._wake, wakes = socket.socketpair()
        self._wake.setblocking(False)
        wakes.setblocking(False)
        self._wakes = wakes
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wakes.fileno(), warn_on_full_buffer=False)
        gc.collect()
        gc.freeze()

    def run(self, scenario: Scenario) -> Ran:
        self._prepare(scenario)
        directory = Path(tempfile.mkdtemp(prefix="run-", dir=self._base.directory))
        self._page.begin(self._base.offset)
        began, used = time.monotonic(), _cpu_of_children()
        try:
            ran = _Run(self, scenario, directory).to_its_end()
        finally:
            shutil.rmtree(directory, ignore_errors=True)
        ran.seconds, ran.cpu = time.monotonic() - began, _cpu_of_children() - used
        ran.reached = {str(POINTS[point]): count for point, count in self._page.reached().items()}
        return ran


class _Run:
    """One run as the fork server sees it: processes that begin and end, and what the world says."""

    def __init__(self, server: ForkServer, scenario: Scenario, directory: Path) -> None:
        self._server, self._scenario, self._directory = server, scenario, directory
        self._gateways: dict[int, int] = {}
        self._ran = Ran(scenario.seed, ["the world ended without a word"], 0)
        from_world, self._to_server = os.pipe()
        self._from_server, to_world = os.pipe()
        self._heard, self._tell = from_world, to_world
        self._rest = b""

    def to_its_end(self) -> Ran:
        world = self._fork_world()
        os.close(self._to_server)
        os.close(self._from_server)
        until = time.monotonic() + RUN_SECONDS
        alive = True
        try:
            while alive and time.monotonic() < until:
                select.select([self._heard, self._server._wake], [], [], 1.0)
                self._drain_wakes()
                alive = self._listen()
                self._reap()
            if alive:
                self._ran.wrong = [f"the world did not end within {RUN_SECONDS:.0f} s"]
        finally:
            for pid in (*self._gateways, world):
                _end(pid)
            os.close(self._heard)
            os.close(self._tell)
        if self._ran.wrong:
            self._ran.trace += self._logs()
        return self._ran

    def _fork_world(self) -> int:
        pid = os.fork()
        if pid:
            return pid
        try:
            gc.disable()  # what lives for a second leaves little behind, and to look for it copies pages
            die_with_parent(signal.SIGKILL)
            signal.set_wakeup_fd(-1)
            os.close(self._heard)
            os.close(self._tell)
            server = self._server
            server._world(
                self._scenario, server._base, server._page, self._directory, (self._to_server, self._from_server)
            )
        except BaseException:  # noqa: BLE001 -- the process's edge: the fork server must hear of it
            wrong = ["the harness itself failed: " + traceback.format_exc()]
            os.write(self._to_server, json.dumps({"result": {"wrong": wrong}}).encode() + b"\n")
        finally:
            os._exit(0)

    def _listen(self) -> bool:
        """False when the world has ended."""
        if not select.select([self._heard], [], [], 0)[0]:
            return True
        piece = os.read(self._heard, 1 << 16)
        *lines, self._rest = (self._rest + piece).split(b"\n")
        for line in lines:
            message = json.loads(line)
            if "launch" in message:
                self._fork_gateway(Launch.decode(json.dumps(message["launch"]).encode()))
            elif "say" in message:
                self._ran.trace.append(message["say"])
            else:
                for name, value in message["result"].items():
                    setattr(self._ran, name, value)
        return bool(piece)

    def _fork_gateway(self, launch: Launch) -> None:
        pid = os.fork()
        if pid:
            self._gateways[pid] = launch.life
            return
        gc.disable()
        signal.set_wakeup_fd(-1)
        for end in (self._heard, self._tell):
            os.close(end)
        run_gateway(launch, self._server._base, self._server._page)

    def _reap(self) -> None:
        for pid, life in [*self._gateways.items()]:
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                del self._gateways[pid]
                told = json.dumps({"gone": life, "status": os.waitstatus_to_exitcode(status)})
                try:
                    os.write(self._tell, told.encode() + b"\n")
                except BrokenPipeError:
                    return

    def _drain_wakes(self) -> None:
        try:
            while self._server._wake.recv(4096):
                pass
        except BlockingIOError:
            return

    def _logs(self) -> list[str]:
        told = []
        for log in sorted(self._directory.glob("gateway-*.log")):
            lines = log.read_text(errors="replace").splitlines()
            told += [f"{log.name}: {line}" for line in lines[-_LOG_LINES:]]
        return told


def _cpu_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _end(pid: int) -> None:
    """A child that may have ended already."""
    try:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    except (ProcessLookupError, ChildProcessError):
        return
