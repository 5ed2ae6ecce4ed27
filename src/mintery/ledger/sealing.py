"""The hash chain over all rows that are never changed: what a seal covers, and how it is computed.

    seal(n) = SHA-256(seal(n - 1) ‖ row(n))        seal(0) = SHA-256(["mintery-seals", chain id, escrow])

``row`` is a JSON array without white space, UTF-8: the version of the table's form, the table, and the row's columns in the
order that ``SEALED`` gives for that version; bytes as hex digits, what is absent as null. So anyone can compute the chain from
the rows with any JSON library. A column that is added later asks for a new version of its table's form, and what is sealed
keeps its own.

Orders, payments, refunds and their calls come to their facts one after the other, so their own rows are not sealed: what is
stated of them is (``stating``), and ``verify`` holds them to it.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import orjson
from sqlalchemy import Table

from mintery.domain.voucher import EscrowDomain
from mintery.ledger.schema import channel_changes, receipts, route_attempts, transfers, undone_write_offs, write_offs
from mintery.ledger.schema_orders import order_events
from mintery.ledger.schema_stated import stated_facts

FORMAT = "mintery-seals"
_LATER: Mapping[int, frozenset[str]] = {1: frozenset({"rest", "write_off"})}
"""Columns that a version does not cover, as no row had them then."""


class Source(IntEnum):
    """A table whose rows are sealed, as the seals name it."""

    TRANSFERS = 1
    RECEIPTS = 2
    WRITE_OFFS = 3
    CHANNEL_CHANGES = 4
    ROUTE_ATTEMPTS = 5
    UNDONE_WRITE_OFFS = 6
    ORDER_EVENTS = 7
    STATED_FACTS = 8


@dataclass(frozen=True, slots=True)
class Sealed:
    """A table with the columns that ``version`` of its form covers; the first is its sequence number. An earlier version covers
    the first of them: what came later stands last.
    """

    table: Table
    columns: tuple[str, ...]
    version: int = 2

    @property
    def name(self) -> str:
        return self.table.name


SEALED: Mapping[Source, Sealed] = {
    Source.TRANSFERS: Sealed(
        transfers, ("seq", "id", "kind", "debit", "credit", "amount", "pending", "at", "reference", "rest")
    ),
    Source.RECEIPTS: Sealed(
        receipts,
        (
            "seq",
            "request",
            "account",
            "token",
            "epoch",
            "cost",
            "held",
            "model",
            "provider",
            "captured_at",
            "facts",
            "signature",
        ),
    ),
    Source.WRITE_OFFS: Sealed(write_offs, ("seq", "request", "account", "amount", "reason", "at")),
    Source.CHANNEL_CHANGES: Sealed(
        channel_changes,
        ("seq", "scope", "subject", "setting", "revision", "earlier", "value", "changed_by", "reason", "at"),
        version=1,
    ),
    Source.ROUTE_ATTEMPTS: Sealed(
        route_attempts,
        ("seq", "request", "position", "route", "provider", "outcome", "status", "began_at", "ended_at"),
        version=1,
    ),
    Source.UNDONE_WRITE_OFFS: Sealed(undone_write_offs, ("seq", "request", "batch_id", "at", "write_off")),
    Source.ORDER_EVENTS: Sealed(order_events, ("seq", "order_id", "kind", "actor", "facts", "at"), version=1),
    Source.STATED_FACTS: Sealed(stated_facts, ("seq", "of_table", "row_id", "facts"), version=1),
}


def first_hash(domain: EscrowDomain) -> bytes:
    """What the first seal stands on: no chain of seals fits another escrow's ledger."""
    return hashlib.sha256(orjson.dumps([FORMAT, domain.chain_id, domain.escrow])).digest()


def covered(version: int, source: Source) -> int | None:
    """How many columns of a row a seal of ``version`` covers; None where there is no such version."""
    sealed = SEALED[source]
    if not 1 <= version <= sealed.version:
        return None
    later = _LATER.get(version, frozenset())
    return len([name for name in sealed.columns if name not in later])


def seal_hash(before: bytes, source: Source, row: Sequence[Any], version: int) -> bytes:
    """The seal of ``row`` (what ``version`` covers of ``SEALED[source]``), which follows the seal ``before``."""
    return hashlib.sha256(before + orjson.dumps([version, SEALED[source].name, *row], default=bytes.hex)).digest()
