"""Opening a ledger: whose it is, and bringing its tables up to date. A ledger of another chain is left as it is."""

import os
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, insert, inspect, make_url, select
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import NullPool

from mintery.domain.voucher import Address, EscrowDomain
from mintery.errors import LedgerOfAnotherChain, LedgerUnavailable, MalformedFile
from mintery.ledger.engines import is_sqlite, lock_out_others
from mintery.ledger.faults import Fault, fault_of
from mintery.ledger.migrations import HEAD, REVISIONS, VERSION_TABLE, upgrade
from mintery.ledger.schema import identity

_OWNER_ONLY = 0o600
_DRIVERS = {"postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}


@dataclass(frozen=True, slots=True)
class LedgerIdentity:
    """The one escrow on the one chain that a ledger belongs to. ``genesis_hash``: ``0x`` and 64 hex digits."""

    chain_id: int
    genesis_hash: str
    escrow: Address

    @property
    def domain(self) -> EscrowDomain:
        return EscrowDomain(self.chain_id, self.escrow)

    def __str__(self) -> str:
        return f"chain {self.chain_id} (genesis {self.genesis_hash}), escrow {self.escrow}"


def ledger_url(url_or_path: str | Path) -> str:
    """A path is SQLite's; PostgreSQL's URLs may be written as its own tools write them."""
    text = str(url_or_path)
    if "://" not in text:
        return f"sqlite:///{text}"
    scheme, _, rest = text.partition("://")
    return f"{_DRIVERS.get(scheme, scheme)}://{rest}"


def shown(url: str) -> str:
    """Without a password."""
    parsed = make_url(url)
    return str(parsed.database) if is_sqlite(url) else parsed.render_as_string(hide_password=True)


def check_before_opening(url: str, expected: LedgerIdentity) -> None:
    """Look at what is there without writing to it.

    Raises:
        LedgerOfAnotherChain
        MalformedFile: it is no ledger, or one that a newer version wrote.
        LedgerUnavailable: the database server does not take us in.
    """
    if is_sqlite(url):
        path = Path(str(make_url(url).database))
        if not path.exists() or path.stat().st_size == 0:
            return
        url = f"sqlite:///file:{path.resolve()}?mode=ro&uri=true"
    engine = create_engine(url, poolclass=NullPool)
    try:
        with engine.connect() as connection:
            _check(connection, shown(url), expected)
    except DatabaseError as error:
        if not is_sqlite(url) and fault_of(engine.dialect, error) is not Fault.REFUSED:
            raise LedgerUnavailable(f"{shown(url)}: {error.orig}") from error
        raise MalformedFile(shown(url), f"it cannot be read as a ledger: {error.orig}") from error
    finally:
        engine.dispose()


def _check(connection: Connection, name: str, expected: LedgerIdentity) -> None:
    tables = inspect(connection).get_table_names()
    if not tables:
        return
    if not {VERSION_TABLE, identity.name} <= set(tables):
        raise MalformedFile(name, "it is a database of something else than a ledger")
    version = connection.exec_driver_sql(f"SELECT version_num FROM {VERSION_TABLE}").scalar()  # noqa: S608 -- a constant
    if version not in REVISIONS:
        raise MalformedFile(name, f"its tables are of revision {version}, which this version does not know")
    _check_identity(connection, name, expected)


def _check_identity(connection: Connection, name: str, expected: LedgerIdentity) -> bool:
    """Whether it was recorded before."""
    row = connection.execute(select(identity.c.chain_id, identity.c.genesis_hash, identity.c.escrow)).one_or_none()
    if row is None:
        return False
    recorded = LedgerIdentity(row[0], row[1], Address(row[2]))
    if recorded != expected:
        raise LedgerOfAnotherChain(name, recorded=str(recorded), expected=str(expected))
    return True


def make_private(url: str) -> None:
    """A new SQLite file is its owner's alone, and so are those that SQLite puts beside it."""
    path = make_url(url).database if is_sqlite(url) else None
    if path is not None and path != ":memory:":
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, _OWNER_ONLY))


def bring_up_to_date(engine: Engine, name: str, expected: LedgerIdentity) -> None:
    """Migrate and record the identity, in one transaction that keeps every other process from doing so meanwhile."""
    with engine.begin() as connection:
        lock_out_others(connection)
        upgrade(connection)
        if not _check_identity(connection, name, expected):
            connection.execute(
                insert(identity).values(
                    one=1, chain_id=expected.chain_id, genesis_hash=expected.genesis_hash, escrow=expected.escrow
                )
            )


__all__ = ["HEAD", "LedgerIdentity", "bring_up_to_date", "check_before_opening", "ledger_url", "make_private", "shown"]
