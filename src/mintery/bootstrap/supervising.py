"""Several gateway processes behind one port: started, watched, started again when one dies, and stopped together.

The supervisor holds the port and never listens on it. Each child is an ordinary ``mintery serve`` that was handed a socket
of its own on that port, which listens when the child is ready and closes when it dies: the system shares new connections
evenly among those that live. (One socket for all would give most connections to whoever wakes first.) Each child also has
a port to itself, one after the other behind the shared one, for what concerns it alone: its metrics, its draining. A child
learns from its standard input's end that the supervisor is gone, and stops as if it had been asked to.
"""

import logging
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from mintery.bootstrap.opening import ledger_path
from mintery.errors import ChildFailed, NotForProcesses
from mintery.serving.threaded import bind_shared
from mintery.settings import Settings, environment, variable

log = logging.getLogger(__name__)

FIRST_PAUSE, LONGEST_PAUSE = 0.2, 30.0
"""Seconds before a dead child is started again; doubled while it dies young."""
GROWN_UP_SECONDS = 60.0
STOP_SECONDS = 90.0
"""A child drains its connections, then its answers, and waits for its jobs; after this it is killed."""
_WATCH_SECONDS = 0.1

Clock = Callable[[], float]
"""Seconds that only grow."""


@dataclass(slots=True)
class _Child:
    number: int
    running: subprocess.Popen[str]
    began: float
    pause: float = FIRST_PAUSE
    ready: str = field(default="", repr=False)


class Supervisor:
    """``command`` starts a child; ``--inherit FD`` is added to it twice, for the shared port and for its own.
    ``environment`` is the children's own.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        *,
        host: str,
        port: int,
        processes: int,
        stop_seconds: float,
        clock: Clock = time.monotonic,
    ) -> None:
        """Takes the port, and one after it for each process; all free ones if ``port`` is 0.

        Raises:
            PortTaken
        """
        self._host = host
        self._holder = bind_shared(host, port)
        self.port: int = _port_of(self._holder)
        self._own = self._bind_own(port, processes)
        self._command = tuple(command)
        self._environment = dict(environment)
        self._processes = processes
        self._stop_seconds = stop_seconds
        self._clock = clock
        self._children: list[_Child] = []
        self._due: dict[int, tuple[float, float]] = {}
        """Of dead children: when each is started again, and the pause after that."""

    @property
    def pids(self) -> list[int]:
        """Of the children that run, in their order."""
        return [child.running.pid for child in self._children]

    @property
    def children(self) -> list[dict[str, Any]]:
        """``pid`` of each child that runs and ``url`` where it answers alone."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return [
            {"pid": child.running.pid, "url": f"http://{host}:{_port_of(self._own[child.number])}"}
            for child in self._children
        ]

    def start(self) -> str:
        """What the first child said when it was ready to answer. It deploys and migrates what is missing, so the others
        begin when it has.

        Raises:
            ChildFailed: one ended before it was ready; all are stopped.
        """
        try:
            self._children.append(self._start(0))
            self._await_ready(self._children[0])
            self._children += [self._start(number) for number in range(1, self._processes)]
            for child in self._children[1:]:
                self._await_ready(child)
        except BaseException:
            self.close()
            raise
        return self._children[0].ready

    def watch(self, stop: threading.Event) -> None:
        """Until ``stop``: start again what dies."""
        while not stop.wait(_WATCH_SECONDS):
            self._bury()
            self._start_due()

    def close(self) -> None:
        """Let every child finish what it answers, and kill what does not end in time."""
        for holder in (self._holder, *self._own):
            holder.close()
        for child in self._children:
            child.running.terminate()
        until = self._clock() + self._stop_seconds
        for child in self._children:
            try:
                child.running.wait(max(0.0, until - self._clock()))
            except subprocess.TimeoutExpired:
                log.warning("child killed: it did not stop", extra={"child": child.running.pid})
                child.running.kill()
                child.running.wait()
            _close_pipes(child.running)
        self._children.clear()

    def _bind_own(self, port: int, processes: int) -> list[socket.socket]:
        with ExitStack() as bound:
            bound.callback(self._holder.close)
            own = [
                bound.enter_context(bind_shared(self._host, port + 1 + number if port else 0))
                for number in range(processes)
            ]
            bound.pop_all()
        return own

    def _start(self, number: int) -> _Child:
        own_port = _port_of(self._own[number])
        with bind_shared(self._host, self.port) as shared, bind_shared(self._host, own_port) as own:
            running = subprocess.Popen(  # noqa: S603 -- our own command
                [*self._command, "--inherit", str(shared.fileno()), "--inherit", str(own.fileno())],
                env=self._environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                pass_fds=[shared.fileno(), own.fileno()],
                text=True,
            )
        return _Child(number, running, self._clock())

    def _await_ready(self, child: _Child) -> None:
        assert child.running.stdout is not None  # noqa: S101 -- it was asked for
        child.ready = child.running.stdout.readline()
        if not child.ready.startswith('{"base_url"'):
            said = child.ready + child.running.stdout.read()
            raise ChildFailed(child.running.wait(), said)

    def _bury(self) -> None:
        for child in [child for child in self._children if child.running.poll() is not None]:
            self._children.remove(child)
            _close_pipes(child.running)
            died, lived = self._clock(), self._clock() - child.began
            pause = FIRST_PAUSE if lived >= GROWN_UP_SECONDS else child.pause
            self._due[child.number] = (died + pause, min(2 * pause, LONGEST_PAUSE))
            log.error(
                "child died",
                extra={"child": child.running.pid, "code": child.running.returncode, "again_in": pause},
            )

    def _start_due(self) -> None:
        for number, (at, pause) in sorted(self._due.items()):
            if self._clock() >= at:
                del self._due[number]
                child = self._start(number)
                child.pause = pause
                self._children.append(child)


def supervise(settings: Settings, arguments: Sequence[str], *, processes: int) -> Supervisor:
    """A supervisor of ``mintery`` with ``arguments``, run by this very interpreter. Children read ``settings`` from their
    environment: a command line is everybody's to see, and a ledger's URL may carry a password.

    Raises:
        NotForProcesses: the ledger is a SQLite file, or the system shares no port.
        PortTaken
    """
    if not hasattr(socket, "SO_REUSEPORT"):
        raise NotForProcesses(processes, "this system gives a port to one program only")
    if settings.ledger is None or ledger_path(settings, "") is not None:
        raise NotForProcesses(
            processes, "a SQLite file has one writer, so more processes would only wait for each other"
        )
    given = {"ledger": settings.ledger, "rpc_url": settings.rpc_url, "host": settings.host, "port": str(settings.port)}
    files = {"providers": settings.providers, "deployment": settings.deployment}
    given |= {name: str(path) for name, path in files.items() if path is not None}
    return Supervisor(
        [sys.executable, "-m", "mintery.cli", *arguments],
        {**environment(), **{variable(name): value for name, value in given.items()}},
        host=settings.host,
        port=settings.port,
        processes=processes,
        stop_seconds=STOP_SECONDS,
    )


def _port_of(bound: socket.socket) -> int:
    port: int = bound.getsockname()[1]
    return port


def inherited(descriptor: int) -> socket.socket:
    """The socket that a supervisor handed over; whoever serves on it makes it listen."""
    return socket.socket(fileno=descriptor)


def _close_pipes(ended: subprocess.Popen[str]) -> None:
    for pipe in (ended.stdin, ended.stdout):
        if pipe is not None:
            pipe.close()
