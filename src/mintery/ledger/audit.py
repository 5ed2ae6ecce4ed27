"""A ledger opened to be checked or read beside its gateway: nothing is written to it, and no chain need answer."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DatabaseError, SQLAlchemyError

from mintery.domain.channel import ChannelChange
from mintery.errors import MalformedFile
from mintery.ledger import invariants, queries, queries_channels, verifying
from mintery.ledger.engines import is_sqlite, reader_engine
from mintery.ledger.faults import Fault, fault_of, told
from mintery.ledger.migrations import HEAD, current_revision
from mintery.ledger.opening import ledger_url, shown
from mintery.ledger.reads import WrittenOff
from mintery.ledger.verifying import Seal, SealReport

T = TypeVar("T")


def open_audit(url_or_path: str | Path) -> "LedgerAudit":
    """Open a ledger that is there.

    Raises:
        MalformedFile: it is no ledger, or another version's; a gateway of this version brings an older one up to date.
        LedgerUnavailable: the database server does not take us in.
    """
    url = ledger_url(url_or_path)
    engine = reader_engine(url)
    try:
        with engine.connect() as connection:
            revision = current_revision(connection)
    except DatabaseError as error:
        engine.dispose()
        if not is_sqlite(url) and fault_of(engine.dialect, error) is not Fault.REFUSED:
            raise told(engine.dialect, error) from error
        raise MalformedFile(shown(url), f"it cannot be read as a ledger: {error.orig}") from error
    if revision != HEAD:
        engine.dispose()
        why = (
            "it is no ledger"
            if revision is None
            else f"its tables are of revision {revision}; this version's of {HEAD}"
        )
        raise MalformedFile(shown(url), why)
    return LedgerAudit(engine)


class LedgerAudit:
    """Close it, or use it as a context manager."""

    def __init__(self, reads: Engine) -> None:
        self._reads = reads

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._reads.dispose()

    def verify(self, *, start: int = 1, noted: Seal | None = None) -> SealReport:
        """Walk the chain of seals from position ``start``; ``noted`` is a head that was written down earlier."""
        return self._read(lambda connection: verifying.verify(connection, start, noted))

    def check(self) -> None:
        """As ``Ledger.check``.

        Raises:
            LedgerInconsistent
        """
        self._read(invariants.check)

    def write_offs(self, *, limit: int = 100) -> Sequence[WrittenOff]:
        """Newest first."""
        return self._read(lambda connection: queries.some_write_offs(connection, limit))

    def channel_mark(self) -> tuple[int, int]:
        """As ``Ledger.channel_mark``. Raises LedgerUnavailable."""
        return self._told(queries_channels.mark)

    def channel_settings(self) -> Sequence[ChannelChange]:
        """As ``Ledger.channel_settings``. Raises LedgerUnavailable."""
        return self._told(queries_channels.settings)

    def _told(self, query: Callable[[Connection], T]) -> T:
        """For those who go on when the database does not answer."""
        try:
            return self._read(query)
        except SQLAlchemyError as error:
            raise told(self._reads.dialect, error) from error

    def _read(self, query: Callable[[Connection], T]) -> T:
        with self._reads.connect() as connection:
            return query(connection)
