"""Reads of the settlement outbox."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, select

from mintery.domain.batch import Batch, SettlementLine, TokenBatch
from mintery.domain.hold import RequestId
from mintery.domain.voucher import Address
from mintery.ledger.queries import BLOCK_COLUMNS, block_of
from mintery.ledger.reads import Attempt, BatchRecord
from mintery.ledger.rows import VOUCHER_COLUMNS, signed_voucher_of, usage_of
from mintery.ledger.schema import (
    accounts,
    attempts,
    batch_lines,
    batch_receipts,
    batch_tokens,
    batches,
    blocks,
    vouchers,
)
from mintery.ledger.work import instant_of
from mintery.units import CreditUnits

_ITS_VOUCHER = (vouchers.c.account == batch_lines.c.account) & (vouchers.c.digest == batch_lines.c.voucher)


def batch(connection: Connection, batch_id: int) -> BatchRecord | None:
    """The one that stands, else the last that was abandoned."""
    query = (
        select(batches)
        .where(batches.c.batch_id == batch_id)
        .order_by(batches.c.abandoned_at.is_(None).desc(), batches.c.seq.desc())
        .limit(1)
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else _record(connection, row)


def open_batches(connection: Connection) -> Sequence[BatchRecord]:
    """In the order of their ids."""
    query = (
        select(batches)
        .where(batches.c.abandoned_at.is_(None), batches.c.settled_block.is_(None))
        .order_by(batches.c.batch_id)
    )
    return [_record(connection, row) for row in connection.execute(query).all()]


def _record(connection: Connection, row: Any) -> BatchRecord:
    settled = None
    if row.settled_block is not None:
        settled = block_of(connection.execute(select(*BLOCK_COLUMNS).where(blocks.c.hash == row.settled_block)).one())
    requests_ = connection.scalars(
        select(batch_receipts.c.request).where(batch_receipts.c.batch == row.seq).order_by(batch_receipts.c.position)
    )
    return BatchRecord(
        batch=Batch(Address(row.gateway), row.batch_id, bytes(row.receipts_root), _tokens(connection, row.seq)),
        receipts=tuple(RequestId(each) for each in requests_),
        formed_at=instant_of(row.formed_at),
        attempts=_attempts(connection, row.seq, row.batch_id),
        settled_in=settled,
        abandoned_at=None if row.abandoned_at is None else instant_of(row.abandoned_at),
    )


def _tokens(connection: Connection, seq: int) -> tuple[TokenBatch, ...]:
    lines: dict[str, list[SettlementLine]] = {}
    query = (
        select(*VOUCHER_COLUMNS, batch_lines.c.spent_after)
        .join_from(batch_lines, vouchers, _ITS_VOUCHER)
        .join(accounts, accounts.c.id == batch_lines.c.account)
        .where(batch_lines.c.batch == seq)
        .order_by(batch_lines.c.position)
    )
    for row in connection.execute(query):
        line = SettlementLine(signed_voucher_of(row), CreditUnits(int(row.spent_after)))
        lines.setdefault(row.token, []).append(line)
    parts = connection.execute(
        select(batch_tokens).where(batch_tokens.c.batch == seq).order_by(batch_tokens.c.position)
    )
    return tuple(
        TokenBatch(Address(part.token), part.requests, tuple(lines.get(part.token, ())), usage_of(part.usage))
        for part in parts
    )


def _attempts(connection: Connection, seq: int, batch_id: int) -> tuple[Attempt, ...]:
    query = select(attempts).where(attempts.c.batch == seq).order_by(attempts.c.signed_at, attempts.c.nonce)
    return tuple(
        Attempt(
            batch_id=batch_id,
            tx_hash=row.tx_hash,
            raw=bytes(row.raw),
            nonce=row.nonce,
            signed_at=instant_of(row.signed_at),
            broadcast_at=None if row.broadcast_at is None else instant_of(row.broadcast_at),
        )
        for row in connection.execute(query)
    )
