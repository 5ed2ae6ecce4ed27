"""Which process leads which job, by locks that end with the process that holds them.

A leader that was stopped for a while, and wakes up after another one took over, writes nothing: every durable step asks
``check`` first. Where it wakes between that question and the step itself, the ledger's own rules make the step harmless;
``mintery.jobs.works`` names the rule of each job.

PostgreSQL (14 or newer): advisory locks of a session of their own, which the server ends when the process dies, and when
process or machine is silent for ten seconds. The session must reach the server itself: a pooler that hands out sessions by transaction would lose
them. SQLite: locks on files beside the database.
"""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from sqlalchemy import make_url

from mintery.ledger.engines import is_sqlite
from mintery.ledger.leading_by_files import FileLeadership
from mintery.ledger.leading_by_sessions import SessionLeadership
from mintery.ledger.opening import ledger_url


class Leadership(Protocol):
    """The jobs that this process may lead; each has one leader among all processes on the ledger. Safe between threads."""

    def contend(self, jobs: Collection[str]) -> frozenset[str]:
        """Those of ``jobs`` that this process leads now: what it led and what nobody led. Waits for no other process."""

    def check(self, job: str) -> None:
        """Asked before every durable step of a job.

        Raises:
            LeadershipLost: this process does not lead it, or no longer.
        """

    def is_led(self, job: str) -> bool:
        """Whether any process leads it; True where that cannot be known now."""

    def leaders(self) -> Mapping[str, str]:
        """Who leads each job that was contended for, as of the last look, by the names that processes give themselves."""

    def announce(self, note: str) -> None:
        """Tell the other processes, as long as this one leads anything. At most 15 bytes, without spaces; empty: nothing."""

    def notes(self) -> Sequence[str]:
        """What the other processes announce that run now.

        Raises:
            LeadershipLost: it cannot be known now.
        """

    def close(self) -> None:
        """Lead nothing any more: another process takes over at its next look."""


def open_leadership(url_or_path: str | Path, process: str) -> Leadership:
    """The leadership over the jobs of one ledger. ``process`` is how others see this one: 47 bytes at most, no spaces."""
    url = ledger_url(url_or_path)
    if is_sqlite(url):
        return FileLeadership(Path(str(make_url(url).database)), process)
    return SessionLeadership(url, process)
