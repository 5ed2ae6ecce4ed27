"""Cores, processor time and memory of the processes under test, as Linux tells them."""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_NANOSECONDS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Cores:
    """``server`` runs what is measured; ``rest`` the client, the upstream, PostgreSQL and the chain."""

    server: int
    rest: int

    @classmethod
    def of_this_machine(cls) -> "Cores":
        """The first two that we may use; with one alone, both are it, and no figure deserves a comparison."""
        usable = sorted(os.sched_getaffinity(0))
        return cls(usable[0], usable[min(1, len(usable) - 1)])

    @property
    def apart(self) -> bool:
        return self.server != self.rest


def pin(core: int) -> None:
    """This process, its threads to come and its children."""
    os.sched_setaffinity(0, {core})


@contextlib.contextmanager
def pinned(core: int) -> Iterator[None]:
    """Children started inside live on ``core``."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def processor_seconds(pid: int) -> float:
    """What all threads of process ``pid``, those that ended left out, have used of their core so far."""
    spent = 0
    with contextlib.suppress(OSError):  # a process that ended since
        for task in Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(OSError):  # a thread that ended since
                spent += int((task / "schedstat").read_text().split()[0])
    return spent / _NANOSECONDS


def family(pid: int) -> list[int]:
    """The process and its children, such as PostgreSQL has one for each connection."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:
        children = ""  # a kernel that does not list them
    return [pid, *map(int, children.split())]


def busy_seconds(core: int) -> float:
    """What anybody has used of ``core`` so far, to the kernel's tick."""
    for line in Path("/proc/stat").read_text().splitlines():
        name, *ticks = line.split()
        if name == f"cpu{core}":
            user, nice, system, _idle, _waits_for_disk, *more = map(int, ticks[:8])
            return (user + nice + system + sum(more)) / os.sysconf("SC_CLK_TCK")
    return 0.0


def resident_bytes(pid: int) -> int:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
