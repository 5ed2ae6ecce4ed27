"""Leadership beside a SQLite file: one locked file for each job."""

import contextlib
import os
import sys
import threading
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from mintery.errors import LeadershipLost

_OWNER_ONLY = 0o600
_SUFFIX = ".leader"
_LINE = 100


class FileLeadership:
    """Implements ``leadership.Leadership`` by files named ``<database>-<job>.leader``; its text names the leader, for people."""

    def __init__(self, database: Path, process: str) -> None:
        self._database = database
        self._process, self._note = process, ""
        self._files: dict[str, int] = {}
        self._leaders: dict[str, str] = {}
        self._lock = threading.Lock()
        # A killed process leaves its files. Removing one that somebody takes at this moment costs that one a second try.
        for path in self._paths():
            if not self.is_led(path.name.removeprefix(f"{database.name}-").removesuffix(_SUFFIX)):
                path.unlink(missing_ok=True)

    def contend(self, jobs: Collection[str]) -> frozenset[str]:
        with self._lock:
            return frozenset(job for job in jobs if self._leads(job) or self._take(job))

    def check(self, job: str) -> None:
        with self._lock:
            if not self._leads(job):
                raise LeadershipLost(job)

    def is_led(self, job: str) -> bool:
        with self._lock:
            if self._leads(job):
                return True
            try:
                file = os.open(self._path(job), os.O_RDWR)
            except FileNotFoundError:
                return False
            free = _try_lock(file)
            os.close(file)
            return not free

    def leaders(self) -> Mapping[str, str]:
        return dict(self._leaders)

    def announce(self, note: str) -> None:
        with self._lock:
            self._note = note
            for file in self._files.values():
                self._say(file)

    def notes(self) -> Sequence[str]:
        with self._lock:
            others = {self._read_other(path) for path in self._paths()}
        return [note for said in sorted(others) if (note := said.partition(" ")[2])]

    def _paths(self) -> list[Path]:
        return [*self._database.parent.glob(f"{self._database.name}-*{_SUFFIX}")]

    def _read_other(self, path: Path) -> str:
        """What another process wrote there that holds it; empty where none does."""
        job = path.name.removeprefix(f"{self._database.name}-").removesuffix(_SUFFIX)
        if job in self._files:
            return ""
        try:
            file = os.open(path, os.O_RDWR)
        except FileNotFoundError:
            return ""
        try:
            return "" if _try_lock(file) else _said(file)
        finally:
            os.close(file)

    def close(self) -> None:
        with self._lock:
            for job in [*self._files]:
                if self._leads(job):
                    self._path(job).unlink(missing_ok=True)
                    self._give_up(job)

    def _path(self, job: str) -> Path:
        return self._database.with_name(f"{self._database.name}-{job}{_SUFFIX}")

    def _leads(self, job: str) -> bool:
        """The lock is on the file, not on its name: if somebody removed that, the next process locks another file."""
        if (file := self._files.get(job)) is None:
            return False
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(file), self._path(job).stat()):
                return True
        self._give_up(job)
        return False

    def _take(self, job: str) -> bool:
        file = os.open(self._path(job), os.O_CREAT | os.O_RDWR, _OWNER_ONLY)
        if not _try_lock(file):
            self._leaders[job] = _said(file).partition(" ")[0]
            os.close(file)
            return False
        self._files[job], self._leaders[job] = file, self._process
        self._say(file)
        return self._leads(job)

    def _say(self, file: int) -> None:
        """The first byte is the lock's own, as one system locks bytes and keeps others from reading them."""
        os.pwrite(file, f"{self._process} {self._note}".strip().ljust(_LINE).encode(), 1)

    def _give_up(self, job: str) -> None:
        os.close(self._files.pop(job))
        self._leaders.pop(job, None)


def _try_lock(file: int) -> bool:
    """Until the descriptor is closed, by whatever ends the process."""
    try:
        if sys.platform == "win32":
            import msvcrt  # noqa: PLC0415 -- there is no other file lock on that system

            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl  # noqa: PLC0415 -- not on every system

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _said(file: int) -> str:
    return os.pread(file, _LINE, 1).decode(errors="replace").strip()
