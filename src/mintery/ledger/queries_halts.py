"""Reads of standing halts and of what the last reconciliation found."""

from collections.abc import Sequence

from sqlalchemy import Connection, select

from mintery.ledger.reads import Halt, StandingDifference
from mintery.ledger.schema import differences, halts
from mintery.ledger.work import instant_of


def standing_halts(connection: Connection) -> Sequence[Halt]:
    """Oldest first."""
    query = select(halts).where(halts.c.cleared_at.is_(None)).order_by(halts.c.seq)
    return [Halt(row.seq, row.alarm, row.subject, row.why, instant_of(row.since)) for row in connection.execute(query)]


def standing_differences(connection: Connection) -> Sequence[StandingDifference]:
    query = select(differences).order_by(differences.c.what)
    return [
        StandingDifference(row.what, int(row.chain), int(row.books), row.last_equal, instant_of(row.since))
        for row in connection.execute(query)
    ]
