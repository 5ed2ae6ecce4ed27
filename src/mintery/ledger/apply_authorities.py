"""What holders allow: vouchers that stand, keys, limits, and their revocation.

Each change raises its holder's ``authority``, on the holder's row and on all accounts. A hold is refused unless it was asked for
by the number that its account has, so a change holds for the next request in every process.
"""

from collections.abc import Callable, Mapping
from typing import Any

import orjson
from sqlalchemy import bindparam, select, update
from sqlalchemy.dialects.postgresql import Insert

from mintery.domain.keys import KeySecret
from mintery.domain.limits import SpendLimit
from mintery.domain.voucher import Address
from mintery.ledger.commands import Done, NotWritten, Result
from mintery.ledger.commands_wallet import (
    AddStandingVoucher,
    ChangeKey,
    ChangeLimit,
    EndLimit,
    MakeKey,
    RevokeKey,
    RevokeVoucher,
    RotateKey,
    SetLimit,
    SetTimeZone,
    SpreadAuthority,
)
from mintery.ledger.rows import uint96_text
from mintery.ledger.schema import accounts
from mintery.ledger.schema_wallet import (
    gateway_keys,
    holders,
    key_secrets,
    spend_limits,
    standing_vouchers,
    voucher_revocations,
)
from mintery.ledger.work import Statement, Work, insert_of, micros

_raise = Statement(
    Insert(holders)
    .values(holder=bindparam("holder"), authority=1)
    .on_conflict_do_update(index_elements=[holders.c.holder], set_={"authority": holders.c.authority + 1})
)
_its_accounts = Statement(
    select(accounts.c.id).where(accounts.c.holder == bindparam("its_holder")).order_by(accounts.c.id).with_for_update()
)
_authority = Statement(select(holders.c.authority).where(holders.c.holder == bindparam("its_holder")))
_spread = Statement(
    update(accounts)
    .where(accounts.c.holder == bindparam("its_holder"), accounts.c.authority != bindparam("number"))
    .values(authority=bindparam("number"))
)
_add_voucher = Statement(insert_of(standing_vouchers).on_conflict_do_nothing())
_make_key = Statement(insert_of(gateway_keys).on_conflict_do_nothing())
_add_secret = Statement(insert_of(key_secrets).on_conflict_do_nothing())
_OF_HOLDER = (gateway_keys.c.id == bindparam("its_key"), gateway_keys.c.holder == bindparam("its_holder"))
_open_key = Statement(select(gateway_keys.c.account).where(*_OF_HOLDER, gateway_keys.c.revoked_at.is_(None)))
_end_secrets = Statement(
    update(key_secrets)
    .where(
        key_secrets.c.key == bindparam("its_key"),
        key_secrets.c.hash != bindparam("but"),
        (key_secrets.c.ends_at.is_(None)) | (key_secrets.c.ends_at > bindparam("until")),
    )
    .values(ends_at=bindparam("until"))
)
_change_key = Statement(
    update(gateway_keys)
    .where(*_OF_HOLDER, gateway_keys.c.revoked_at.is_(None))
    .values({name: bindparam(f"new_{name}") for name in ("label", "models", "ways", "expires_at", "voucher")})
)
_standing = Statement(
    select(standing_vouchers.c.digest).where(
        standing_vouchers.c.account == bindparam("account"), standing_vouchers.c.digest == bindparam("digest")
    )
)
_revoke_key = Statement(
    update(gateway_keys).where(*_OF_HOLDER, gateway_keys.c.revoked_at.is_(None)).values(revoked_at=bindparam("at"))
)
_revoke_voucher = Statement(insert_of(voucher_revocations).on_conflict_do_nothing())
_set_limit = Statement(insert_of(spend_limits).on_conflict_do_nothing())
_STANDS = (
    spend_limits.c.id == bindparam("its_limit"),
    spend_limits.c.holder == bindparam("its_holder"),
    spend_limits.c.ended_at.is_(None),
)
_change_limit = Statement(update(spend_limits).where(*_STANDS).values(ceiling=bindparam("new_ceiling")))
_end_limit = Statement(update(spend_limits).where(*_STANDS).values(ended_at=bindparam("at")))
_set_zone = Statement(
    update(holders).where(holders.c.holder == bindparam("its_holder")).values(time_zone=bindparam("zone"))
)


def raise_authority(work: Work, holder: Address) -> None:
    """Accounts are locked in the order of their ids, as holds lock them."""
    work.run(_raise, holder=holder)
    spread_authority(work, SpreadAuthority(holder))


def spread_authority(work: Work, command: SpreadAuthority) -> Done:
    """An account that another transaction opens meanwhile is not seen yet: whoever changed something asks once more."""
    row = work.row(_authority, its_holder=command.holder)
    if row is None:
        return Done(0)
    work.rows(_its_accounts, its_holder=command.holder)
    return Done(work.run(_spread, its_holder=command.holder, number=row[0]))


def add_standing_voucher(work: Work, command: AddStandingVoucher) -> Done:
    added = command.voucher
    signed, voucher = added.signed, added.signed.voucher
    return Done(
        work.run(
            _add_voucher,
            account=added.account,
            digest=added.digest,
            chain_id=signed.chain_id,
            token=voucher.token,
            gateway=voucher.gateway,
            holder=voucher.holder,
            signer=signed.signer,
            epoch=voucher.epoch,
            max_spend=uint96_text(voucher.max_spend),
            deadline=voucher.deadline,
            key_hash=voucher.key_hash,
            r=signed.r,
            vs=signed.vs,
            added_at=micros(added.added_at),
        )
    )


def make_key(work: Work, command: MakeKey) -> Done:
    key = command.key
    made = work.run(
        _make_key,
        id=key.id,
        holder=key.holder,
        account=key.account,
        voucher=key.voucher,
        label=key.label,
        models=_names_text(key.rules.models),
        ways=_names_text(key.rules.ways),
        created_at=micros(key.created_at),
        expires_at=None if key.expires_at is None else micros(key.expires_at),
        revoked_at=None,
    )
    if made:
        _write_secret(work, command.secret)
        for limit in command.limits:
            _write_limit(work, limit)
        raise_authority(work, key.holder)
    return Done(made)


def rotate_key(work: Work, command: RotateKey) -> Done | NotWritten:
    secret = command.secret
    if work.row(_open_key, its_key=secret.key, its_holder=command.holder) is None:
        return NotWritten(f"there is no open key {secret.key} of this holder")
    if not _write_secret(work, secret):
        return Done(0)
    work.run(_end_secrets, its_key=secret.key, but=secret.hash, until=micros(command.old_until))
    raise_authority(work, command.holder)
    return Done(1)


def change_key(work: Work, command: ChangeKey) -> Done | NotWritten:
    found = work.row(_open_key, its_key=command.key, its_holder=command.holder)
    if found is None or work.row(_standing, account=found[0], digest=command.voucher) is None:
        return NotWritten(f"there is no open key {command.key} of this holder, or its account has no such voucher")
    work.run(
        _change_key,
        its_key=command.key,
        its_holder=command.holder,
        new_label=command.label,
        new_models=_names_text(command.rules.models),
        new_ways=_names_text(command.rules.ways),
        new_expires_at=None if command.expires_at is None else micros(command.expires_at),
        new_voucher=command.voucher,
    )
    raise_authority(work, command.holder)
    return Done(1)


def revoke_key(work: Work, command: RevokeKey) -> Done:
    revoked = work.run(_revoke_key, its_key=command.key, its_holder=command.holder, at=micros(command.at))
    if revoked:
        raise_authority(work, command.holder)
    return Done(revoked)


def revoke_voucher(work: Work, command: RevokeVoucher) -> Done:
    revoked = work.run(
        _revoke_voucher,
        account=command.account,
        key_hash=command.key_hash,
        holder=command.holder,
        at=micros(command.at),
    )
    if revoked:
        raise_authority(work, command.holder)
    return Done(revoked)


def set_limit(work: Work, command: SetLimit) -> Done:
    if written := _write_limit(work, command.limit):
        raise_authority(work, command.limit.holder)
    return Done(written)


def change_limit(work: Work, command: ChangeLimit) -> Done:
    changed = work.run(_change_limit, its_limit=command.limit, its_holder=command.holder, new_ceiling=command.ceiling)
    if changed:
        raise_authority(work, command.holder)
    return Done(changed)


def end_limit(work: Work, command: EndLimit) -> Done:
    ended = work.run(_end_limit, its_limit=command.limit, its_holder=command.holder, at=micros(command.at))
    if ended:
        raise_authority(work, command.holder)
    return Done(ended)


def set_time_zone(work: Work, command: SetTimeZone) -> Done:
    raise_authority(work, command.holder)
    return Done(work.run(_set_zone, its_holder=command.holder, zone=command.time_zone))


def _write_secret(work: Work, secret: KeySecret) -> int:
    return work.run(
        _add_secret,
        hash=secret.hash,
        key=secret.key,
        hint=secret.hint,
        made_at=micros(secret.made_at),
        ends_at=None if secret.ends_at is None else micros(secret.ends_at),
    )


def _write_limit(work: Work, limit: SpendLimit) -> int:
    return work.run(
        _set_limit,
        id=limit.id,
        holder=limit.holder,
        token=limit.token,
        period=limit.period.value,
        ceiling=limit.ceiling,
        key=limit.key,
        model=limit.model,
        way=limit.way,
        set_at=micros(limit.set_at),
        ended_at=None,
    )


def _names_text(names: frozenset[str] | None) -> str | None:
    return None if names is None else orjson.dumps(sorted(names)).decode()


AUTHORITY_WRITERS: Mapping[type, Callable[[Work, Any], Result]] = {
    MakeKey: make_key,
    RotateKey: rotate_key,
    ChangeKey: change_key,
    RevokeKey: revoke_key,
    RevokeVoucher: revoke_voucher,
    SetLimit: set_limit,
    ChangeLimit: change_limit,
    EndLimit: end_limit,
    SetTimeZone: set_time_zone,
    SpreadAuthority: spread_authority,
}
