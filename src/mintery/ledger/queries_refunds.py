"""Reads of refunds of what is left of a lot."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, or_, select

from mintery.domain.chain_call import CallKind
from mintery.domain.voucher import AccountId
from mintery.ledger.schema import blocks
from mintery.ledger.schema_calls import chain_calls
from mintery.ledger.schema_refunds import lot_refunds
from mintery.ledger.work import instant_of
from mintery.units import NanoCredits

_AT_ONCE = 100


def _its_call(kind: CallKind, *chosen: ColumnElement[bool]) -> ColumnElement[bool]:
    its = (chain_calls.c.subject == lot_refunds.c.id, chain_calls.c.kind == kind.value)
    return select(chain_calls.c.id).where(*its, *chosen).exists()


_COLLECTED = _its_call(CallKind.COLLECT, chain_calls.c.tx_hash.is_not(None))
_RECORDED = select(func.max(blocks.c.number)).scalar_subquery()
_RELEASE_IS_OVER = _its_call(
    CallKind.RELEASE, or_(chain_calls.c.failed_at.is_not(None), chain_calls.c.block_number <= _RECORDED)
)


@dataclass(frozen=True, slots=True)
class LotRefund:
    """Set aside until ``released`` (where the chain says so) or failed. ``refund``: what it became over the rail."""

    id: str
    lot: int
    account: AccountId
    amount: NanoCredits
    way: str
    asked_at: datetime
    released: str | None
    failed_why: str | None
    refund: str | None

    @property
    def status(self) -> str:
        if self.failed_why is not None:
            return "failed"
        if self.released is None:
            return "under_way"
        return "in_wallet" if self.way == "wallet" else "released" if self.refund is None else "owed"


class LotRefundReads:
    def __init__(self, read: Callable[..., Any]) -> None:
        self._read = read

    def refund(self, refund: str) -> LotRefund | None:
        return next(iter(self._refunds(lot_refunds.c.id == refund)), None)

    def of_lot(self, lot: int) -> Sequence[LotRefund]:
        return self._refunds(lot_refunds.c.lot == lot)

    def to_collect(self, *, after: str | None = None) -> Sequence[LotRefund]:
        """Collected by the treasury, and not owed over the rail yet, by id."""
        later = () if after is None else (lot_refunds.c.id > after,)
        waits = (lot_refunds.c.way == "rail", lot_refunds.c.released.is_not(None), lot_refunds.c.refund.is_(None))
        return self._refunds(*waits, _COLLECTED, *later, by_id=True)

    def collected_unreleased(self) -> Sequence[LotRefund]:
        """Collected by the treasury, though nothing was released for it, nor will be, in any block that is recorded here."""
        waits = (lot_refunds.c.way == "rail", lot_refunds.c.released.is_(None), lot_refunds.c.refund.is_(None))
        return self._refunds(*waits, _COLLECTED, _RELEASE_IS_OVER, by_id=True)

    def _refunds(self, *chosen: ColumnElement[bool], by_id: bool = False) -> Sequence[LotRefund]:
        asked = () if by_id else (lot_refunds.c.asked_at,)
        query = select(lot_refunds).where(*chosen).order_by(*asked, lot_refunds.c.id).limit(_AT_ONCE)
        return [
            LotRefund(
                row.id,
                row.lot,
                AccountId(row.account),
                NanoCredits(row.amount),
                row.way,
                instant_of(row.asked_at),
                row.released,
                row.failed_why,
                row.refund,
            )
            for row in self._read(_all, query)
        ]


def _all(connection: Connection, query: Select[Any]) -> Sequence[Any]:
    return connection.execute(query).all()
