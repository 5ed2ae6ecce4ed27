"""Reads of what holders allow. Each takes a connection, whose transaction is one snapshot."""

from collections.abc import Sequence
from typing import Any

import orjson
from sqlalchemy import Connection, select

from mintery.domain.keys import GatewayKey, KeyId, KeyRules, KeySecret, StandingVoucher
from mintery.domain.limits import LimitId, LimitPeriod, SpendLimit
from mintery.domain.voucher import AccountId, Address, SignedVoucher, Voucher
from mintery.ledger.reads_wallet import Allowance, KeyRecord, LimitAlert, SecretRecord
from mintery.ledger.rows import VOUCHER_COLUMNS, signed_voucher_of
from mintery.ledger.schema import accounts, vouchers
from mintery.ledger.schema_wallet import (
    gateway_keys,
    holders,
    key_secrets,
    limit_alerts,
    spend_limits,
    standing_vouchers,
    voucher_revocations,
)
from mintery.ledger.work import instant_of
from mintery.units import CreditUnits, NanoCredits, UnixSeconds


def standing(connection: Connection, account: AccountId, holder: Address, token: Address) -> Allowance:
    its_own = connection.scalar(select(accounts.c.authority).where(accounts.c.id == account))
    row = connection.execute(select(holders).where(holders.c.holder == holder)).one_or_none()
    limits = select(spend_limits).where(
        spend_limits.c.holder == holder, spend_limits.c.token == token, spend_limits.c.ended_at.is_(None)
    )
    revoked = select(voucher_revocations.c.key_hash).where(voucher_revocations.c.account == account)
    return Allowance(
        authority=its_own if its_own is not None else 0 if row is None else row.authority,
        time_zone=None if row is None else row.time_zone,
        limits=tuple(_limit(each) for each in connection.execute(limits.order_by(spend_limits.c.id))),
        revoked=frozenset(bytes(each) for each in connection.scalars(revoked)),
    )


def time_zone(connection: Connection, holder: Address) -> str | None:
    found: str | None = connection.scalar(select(holders.c.time_zone).where(holders.c.holder == holder))
    return found


def key_by_hash(connection: Connection, hashed: bytes) -> SecretRecord | None:
    row = connection.execute(select(key_secrets).where(key_secrets.c.hash == hashed)).one_or_none()
    if row is None:
        return None
    record = key(connection, KeyId(row.key))
    if record is None:
        return None
    opened = record.key
    its_token = record.voucher.signed.voucher.token
    return SecretRecord(
        _secret(row), opened, record.voucher, standing(connection, opened.account, opened.holder, its_token)
    )


def key(connection: Connection, wanted: KeyId) -> KeyRecord | None:
    row = connection.execute(select(gateway_keys).where(gateway_keys.c.id == wanted)).one_or_none()
    return None if row is None else _records(connection, [row])[0]


def keys_of(connection: Connection, holder: Address) -> Sequence[KeyRecord]:
    """Newest first, revoked ones among them."""
    query = select(gateway_keys).where(gateway_keys.c.holder == holder)
    rows = connection.execute(query.order_by(gateway_keys.c.created_at.desc(), gateway_keys.c.id)).all()
    return _records(connection, rows)


def _records(connection: Connection, rows: Sequence[Any]) -> list[KeyRecord]:
    found = {row.id: _key(row) for row in rows}
    wanted = {(each.account, each.voucher) for each in found.values()}
    query = select(standing_vouchers).where(standing_vouchers.c.account.in_({account for account, _ in wanted}))
    vouchers = {(each.account, each.digest): each for each in map(_standing_voucher, connection.execute(query))}
    secrets = select(key_secrets).where(key_secrets.c.key.in_(found)).order_by(key_secrets.c.made_at.desc())
    by_key: dict[str, list[KeySecret]] = {}
    for row in connection.execute(secrets):
        by_key.setdefault(row.key, []).append(_secret(row))
    return [
        KeyRecord(each, vouchers[each.account, each.voucher], tuple(by_key.get(each.id, ()))) for each in found.values()
    ]


def standing_vouchers_of(connection: Connection, holder: Address) -> Sequence[StandingVoucher]:
    """Newest first."""
    query = select(standing_vouchers).where(standing_vouchers.c.holder == holder)
    rows = connection.execute(query.order_by(standing_vouchers.c.added_at.desc(), standing_vouchers.c.digest))
    return [_standing_voucher(row) for row in rows]


def vouchers_of(connection: Connection, holder: Address) -> Sequence[tuple[AccountId, SignedVoucher]]:
    """Of each account and key hash, in the account's epoch, that with the largest maxSpend."""
    query = (
        select(*VOUCHER_COLUMNS, vouchers.c.account)
        .join_from(vouchers, accounts, accounts.c.id == vouchers.c.account)
        .where(accounts.c.holder == holder, vouchers.c.epoch == accounts.c.epoch)
        .order_by(vouchers.c.account, vouchers.c.key_hash, vouchers.c.max_spend)
    )
    newest = {(row.account, bytes(row.key_hash)): row for row in connection.execute(query)}
    return [(AccountId(account), signed_voucher_of(row)) for (account, _), row in newest.items()]


def revoked_vouchers_of(connection: Connection, holder: Address) -> frozenset[tuple[AccountId, bytes]]:
    """Accounts and key hashes."""
    query = select(voucher_revocations).where(voucher_revocations.c.holder == holder)
    return frozenset((AccountId(row.account), bytes(row.key_hash)) for row in connection.execute(query))


def limits_of(connection: Connection, holder: Address) -> Sequence[SpendLimit]:
    """Those that stand, oldest first."""
    query = select(spend_limits).where(spend_limits.c.holder == holder, spend_limits.c.ended_at.is_(None))
    return [_limit(row) for row in connection.execute(query.order_by(spend_limits.c.set_at, spend_limits.c.id))]


def alerts_of(connection: Connection, holder: Address, limit: int) -> Sequence[LimitAlert]:
    """Newest first."""
    query = (
        select(limit_alerts)
        .join_from(limit_alerts, spend_limits, spend_limits.c.id == limit_alerts.c.limit_id)
        .where(spend_limits.c.holder == holder)
        .order_by(limit_alerts.c.at.desc(), limit_alerts.c.limit_id, limit_alerts.c.level.desc())
        .limit(limit)
    )
    return [
        LimitAlert(LimitId(row.limit_id), row.first, row.level, instant_of(row.at)) for row in connection.execute(query)
    ]


def _limit(row: Any) -> SpendLimit:
    return SpendLimit(
        id=LimitId(row.id),
        holder=Address(row.holder),
        token=Address(row.token),
        period=LimitPeriod(row.period),
        ceiling=NanoCredits(row.ceiling),
        set_at=instant_of(row.set_at),
        key=None if row.key is None else KeyId(row.key),
        model=row.model,
        way=row.way,
    )


def _key(row: Any) -> GatewayKey:
    return GatewayKey(
        id=KeyId(row.id),
        holder=Address(row.holder),
        account=AccountId(row.account),
        voucher=bytes(row.voucher),
        label=row.label,
        created_at=instant_of(row.created_at),
        rules=KeyRules(_names(row.models), _names(row.ways)),
        expires_at=None if row.expires_at is None else instant_of(row.expires_at),
        revoked_at=None if row.revoked_at is None else instant_of(row.revoked_at),
    )


def _names(text: str | None) -> frozenset[str] | None:
    return None if text is None else frozenset(orjson.loads(text))


def _secret(row: Any) -> KeySecret:
    ends_at = None if row.ends_at is None else instant_of(row.ends_at)
    return KeySecret(bytes(row.hash), KeyId(row.key), row.hint, instant_of(row.made_at), ends_at)


def _standing_voucher(row: Any) -> StandingVoucher:
    voucher = Voucher(
        token=Address(row.token),
        gateway=Address(row.gateway),
        holder=Address(row.holder),
        epoch=row.epoch,
        max_spend=CreditUnits(int(row.max_spend)),
        deadline=UnixSeconds(row.deadline),
        key_hash=bytes(row.key_hash),
    )
    signed = SignedVoucher(row.chain_id, voucher, Address(row.signer), bytes(row.r), bytes(row.vs))
    return StandingVoucher(AccountId(row.account), bytes(row.digest), signed, instant_of(row.added_at))
