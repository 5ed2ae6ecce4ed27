"""Reads of standing halts, of what the last reconciliation found, and of the sums that it keeps."""

from collections.abc import Sequence

from sqlalchemy import Connection, select

from mintery.ledger.commands import FlowSums
from mintery.ledger.reads import Halt, Reconciled, StandingDifference
from mintery.ledger.schema import differences, halts, reconciliation
from mintery.ledger.schema import flow_sums as kept_sums
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


def last_reconciliation(connection: Connection) -> Reconciled | None:
    row = connection.execute(select(reconciliation)).one_or_none()
    return None if row is None else Reconciled(row.number, row.hash, instant_of(row.at))


def flow_sums(connection: Connection) -> FlowSums | None:
    row = connection.execute(select(kept_sums)).one_or_none()
    return None if row is None else FlowSums(row.number, row.hash, row.sums, row.anew)
