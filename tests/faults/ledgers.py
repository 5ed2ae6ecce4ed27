"""The ledger as an outsider reads it, by SQL of our own that both databases read."""

from dataclasses import dataclass
from typing import Any

from tests.faults.databases import Connection


@dataclass(frozen=True, slots=True)
class Request:
    """One row of ``requests`` with its receipt's cost; None where there is none."""

    id: str
    body: bytes
    credential: bytes
    raised: bytes | None
    idempotency_key: str | None
    account: str
    amount: int
    dispatched: bool
    captured: int | None
    released_for: str | None
    delivered: bool
    placed_at: int
    cost: int | None
    batches: int
    """Settled batches that carry its receipt."""
    model: str | None
    """That its receipt charges for."""
    calls: int
    """Of providers, where they are recorded."""


class LedgerEye:
    """Reads only, on a connection of its own."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.rows = connection.rows

    def dispatched(self, body: bytes) -> int:
        """How many requests with this body were marked dispatched."""
        [[count]] = self.rows("SELECT count(*) FROM requests WHERE body = ? AND dispatched_at IS NOT NULL", [body])
        return int(count)

    def attempts(self, tx_hash: str) -> int:
        """How many attempts of batches are this transaction: one or none."""
        [[count]] = self.rows("SELECT count(*) FROM attempts WHERE tx_hash = ?", [tx_hash])
        return int(count)

    def requests(self) -> list[Request]:
        return [
            Request(
                id_,
                body,
                credential,
                raised,
                key,
                account,
                amount,
                at is not None,
                captured,
                reason,
                sent is not None,
                *rest,
            )
            for id_, body, credential, raised, key, account, amount, at, captured, reason, sent, *rest in self.rows(
                "SELECT r.id, r.body, r.credential, r.raised, r.idempotency_key, r.account, r.amount, r.dispatched_at,"
                " r.captured, r.released_for, r.delivered_at, r.placed_at,"
                " (SELECT cost FROM receipts WHERE request = r.id),"
                " (SELECT count(*) FROM batch_receipts b JOIN batches s ON s.seq = b.batch"
                "   WHERE b.request = r.id AND s.settled_block IS NOT NULL),"
                " (SELECT model FROM receipts WHERE request = r.id),"
                " (SELECT count(*) FROM route_attempts WHERE request = r.id)"
                " FROM requests r ORDER BY r.placed_at, r.id"
            )
        ]

    def calls(self, request: str) -> list[tuple[str, str]]:
        """Of providers: each one's route and how it ended, as they are recorded."""
        query = "SELECT route, outcome FROM route_attempts WHERE request = ? ORDER BY position"
        return [(route, outcome) for route, outcome in self.rows(query, [request])]

    def unsettled(self) -> tuple[int, int]:
        """Receipts with a cost in no batch, and batches that are neither settled nor abandoned."""
        [[receipts]] = self.rows("SELECT count(*) FROM requests WHERE captured > 0 AND batch IS NULL")
        [[batches]] = self.rows("SELECT count(*) FROM batches WHERE settled_block IS NULL AND abandoned_at IS NULL")
        return int(receipts), int(batches)

    def owed_by_all_unsettled(self) -> bool:
        """Whether each receipt in no batch is of an account that owes: its credits left the escrow first."""
        [[others]] = self.rows(
            "SELECT count(*) FROM requests r JOIN accounts a ON a.id = r.account"
            " WHERE r.captured > 0 AND r.batch IS NULL AND a.uncovered = 0"
        )
        return not others

    def open_holds(self) -> int:
        [[count]] = self.rows("SELECT count(*) FROM requests WHERE ended_at IS NULL")
        return int(count)

    def buckets(self) -> dict[str, int]:
        """Every book and bucket by its own transfers, whatever is stored elsewhere."""
        sums: dict[str, int] = {}
        for debit, credit, amount, rest in self.rows("SELECT debit, credit, amount, coalesce(rest, 0) FROM transfers"):
            back = "available:" + debit.partition(":")[2]
            for side, change in ((debit, -amount - rest), (credit, amount), (back, rest)):
                if change:
                    sums[side] = sums.get(side, 0) + change
        return sums

    def accounts(self) -> list[Any]:
        return self.rows(
            "SELECT id, available, held, captured, spent_settled, epoch FROM accounts WHERE token IS NOT NULL"
        )
