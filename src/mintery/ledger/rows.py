"""How rows become the domain's values, and back."""

import json
from typing import Any

from sqlalchemy import ColumnElement, Connection, Integer, cast, func, literal
from sqlalchemy.dialects.postgresql import JSONB

from mintery.domain.batch import UsageEntry
from mintery.domain.hold import Hold, ReleaseReason, RequestId
from mintery.domain.voucher import AccountId, Address, SignedVoucher, Voucher
from mintery.ledger.columns import UINT96_DIGITS
from mintery.ledger.schema import accounts, requests, vouchers
from mintery.ledger.work import instant_of
from mintery.units import CreditUnits, NanoCredits, UnixSeconds

_HALF = 32


def uint96_text(amount: int) -> str:
    """Sorts as the number does."""
    return str(amount).rjust(UINT96_DIGITS, "0")


def usage_text(usage: tuple[UsageEntry, ...]) -> str:
    return json.dumps([[e.provider_id, e.sku_index, e.price_version, e.quantity] for e in usage], separators=(",", ":"))


def usage_of(text: str) -> tuple[UsageEntry, ...]:
    return tuple(UsageEntry(*entry) for entry in json.loads(text))


def exact_sum(column: ColumnElement[int]) -> tuple[ColumnElement[int], ColumnElement[int]]:
    """Two columns that ``whole`` joins: a sum over a ledger's life may pass 63 bits, where SQLite fails."""
    return func.sum(column.bitwise_rshift(literal(_HALF, Integer))), func.sum(column.bitwise_and(2**_HALF - 1))


def whole(high: int | None, low: int | None) -> int:
    """Sums of no rows are NULL, and 0 here."""
    return (int(high or 0) << _HALF) + int(low or 0)


HOLD_COLUMNS: tuple[ColumnElement[Any], ...] = (
    requests.c.id,
    requests.c.account,
    requests.c.amount,
    requests.c.placed_at,
    requests.c.lease_until,
    requests.c.dispatched_at,
    requests.c.captured,
    requests.c.released_for,
)


def hold_of(row: Any) -> Hold:
    """From ``HOLD_COLUMNS``; what follows them is ignored."""
    request, account, amount, placed_at, lease_until, dispatched_at, captured, released_for = row[: len(HOLD_COLUMNS)]
    return Hold(
        id=RequestId(request),
        account=AccountId(account),
        amount=NanoCredits(amount),
        placed_at=instant_of(placed_at),
        lease_until=instant_of(lease_until),
        dispatched_at=None if dispatched_at is None else instant_of(dispatched_at),
        captured=None if captured is None else NanoCredits(captured),
        released_for=None if released_for is None else ReleaseReason(released_for),
    )


VOUCHER_COLUMNS: tuple[ColumnElement[Any], ...] = (
    vouchers.c.chain_id,
    accounts.c.token,
    accounts.c.gateway,
    accounts.c.holder,
    accounts.c.signer,
    vouchers.c.epoch,
    vouchers.c.max_spend,
    vouchers.c.deadline,
    vouchers.c.key_hash,
    vouchers.c.r,
    vouchers.c.vs,
)
"""Of vouchers joined with their accounts."""


def signed_voucher_of(row: Any) -> SignedVoucher:
    """From ``VOUCHER_COLUMNS``; what follows them is ignored."""
    fields = row[: len(VOUCHER_COLUMNS)]
    chain_id, token, gateway, holder, signer, epoch, max_spend, deadline, key_hash, r, vs = fields
    voucher = Voucher(
        token=Address(token),
        gateway=Address(gateway),
        holder=Address(holder),
        epoch=epoch,
        max_spend=CreditUnits(int(max_spend)),
        deadline=UnixSeconds(deadline),
        key_hash=bytes(key_hash),
    )
    return SignedVoucher(chain_id, voucher, Address(signer), r, vs)


def voucher_row(signed: SignedVoucher, digest: bytes, account: AccountId) -> dict[str, Any]:
    voucher = signed.voucher
    return {
        "digest": digest,
        "account": account,
        "chain_id": signed.chain_id,
        "epoch": voucher.epoch,
        "max_spend": uint96_text(voucher.max_spend),
        "deadline": voucher.deadline,
        "key_hash": voucher.key_hash,
        "r": signed.r,
        "vs": signed.vs,
    }


def member_of(connection: Connection, column: ColumnElement[str], *path: str) -> ColumnElement[Any]:
    """A member of the JSON text in ``column``, NULL where it is not there."""
    if connection.dialect.name == "sqlite":
        return func.json_extract(column, "$." + ".".join(path))
    found: Any = cast(column, JSONB)
    for name in path:
        found = found[name]
    return found.astext  # type: ignore[no-any-return]  # SQLAlchemy does not say of what type a path's text is
