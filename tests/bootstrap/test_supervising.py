"""Children are watched: what dies is started again, later each time it dies young, and all end together."""

import os
import signal
import socket
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from mintery.bootstrap.supervising import FIRST_PAUSE, Supervisor
from mintery.errors import ChildFailed, PortTaken

CHILD = """
import os, select, signal, socket, sys, threading
stopping = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: stopping.set())
listeners = [socket.socket(fileno=int(sys.argv[place])) for place in (-3, -1)]
for listener in listeners:
    listener.listen()
print('{"base_url": "child"}', flush=True)
while not stopping.is_set():
    for listener in select.select(listeners, [], [], 0.02)[0]:
        with listener.accept()[0] as connection:
            connection.sendall(str(os.getpid()).encode())
"""
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('{\"base_url\"', flush=True); time.sleep(60)"
FAILS = "print('why not'); raise SystemExit(7)"


@contextmanager
def supervised(script: str = CHILD, *, processes: int = 2, stop_seconds: float = 10) -> Iterator[Supervisor]:
    command = [sys.executable, "-c", script]
    supervisor = Supervisor(
        command, os.environ, host="127.0.0.1", port=0, processes=processes, stop_seconds=stop_seconds
    )
    stop, watching = threading.Event(), threading.Thread(target=lambda: supervisor.watch(stop))
    try:
        supervisor.start()
        watching.start()
        yield supervisor
    finally:
        stop.set()
        if watching.ident is not None:
            watching.join()
        supervisor.close()


def answering(supervisor: Supervisor, port: int | None = None) -> int | None:
    """Which process took a connection; None while none is there to take one."""
    try:
        with socket.create_connection(("127.0.0.1", port or supervisor.port), timeout=10) as connection:
            return int(connection.recv(100))
    except (ConnectionRefusedError, ConnectionResetError):
        return None


def eventually(condition: Callable[[], bool], seconds: float = 20) -> bool:
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(0.01)
    return True


def test_all_children_take_connections_of_one_port():
    with supervised(processes=3) as supervisor:
        seen: set[int] = set()
        assert eventually(lambda: (seen.add(pid) or len(seen) == 3) if (pid := answering(supervisor)) else False)  # type: ignore[func-returns-value]
        assert seen == set(supervisor.pids)


def test_connections_are_shared_evenly_and_none_goes_to_the_dead():
    with supervised(processes=2) as supervisor:
        first, second = supervisor.pids
        taken = Counter(answering(supervisor) for _ in range(60))
        assert min(taken[first], taken[second]) > 10

        os.kill(first, signal.SIGKILL)
        assert eventually(lambda: first not in supervisor.pids)
        assert {answering(supervisor) for _ in range(20)} <= {second, *supervisor.pids}


def test_each_child_answers_alone_at_a_port_that_outlives_it():
    with supervised(processes=2) as supervisor:
        ports = [int(child["url"].rpartition(":")[2]) for child in supervisor.children]
        assert [answering(supervisor, port) for port in ports] == supervisor.pids
        dead = supervisor.pids[0]

        os.kill(dead, signal.SIGKILL)

        assert eventually(lambda: answering(supervisor, ports[0]) not in {None, dead})
        assert {int(child["url"].rpartition(":")[2]) for child in supervisor.children} == set(ports)


def test_what_dies_is_started_again_and_later_each_time():
    with supervised(processes=1) as supervisor:
        for pause in (FIRST_PAUSE, 2 * FIRST_PAUSE):
            (before,) = supervisor.pids
            began = time.monotonic()
            os.kill(before, signal.SIGKILL)

            assert eventually(lambda dead=before: answering(supervisor) not in {None, dead})

            assert time.monotonic() - began >= pause
            assert eventually(lambda: len(supervisor.pids) == 1)


def test_everything_ends_together_and_the_port_is_free():
    with supervised() as supervisor:
        pids, port = supervisor.pids, supervisor.port
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5)


def test_a_child_that_does_not_stop_is_killed():
    with supervised(DEAF, processes=1, stop_seconds=0.2) as supervisor:
        (pid,) = supervisor.pids
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_child_that_cannot_start_is_told_with_its_words():
    with pytest.raises(ChildFailed) as failed, supervised(FAILS):
        pass
    assert (failed.value.code, failed.value.said) == (7, "why not\n")


def test_own_ports_follow_the_shared_one_and_none_may_be_taken():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortTaken) as refused:
            Supervisor(["never"], {}, host="127.0.0.1", port=port - 2, processes=2, stop_seconds=1)

    assert port - 2 <= refused.value.port <= port, "of a neighbour's, if that is taken too"


def test_a_taken_port_is_refused_before_anything_starts():
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(PortTaken):
        Supervisor(["never"], {}, host="127.0.0.1", port=taken.getsockname()[1], processes=2, stop_seconds=1)
