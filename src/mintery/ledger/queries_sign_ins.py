"""Reads of who is signed in."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from mintery.domain.sign_in import SignIn, SignInId
from mintery.domain.voucher import Address
from mintery.ledger.schema_wallet import sign_ins
from mintery.ledger.work import instant_of, micros


def sign_in_by_token(connection: Connection, token_hash: bytes, now: datetime) -> SignIn | None:
    """None where there is none, or it is over."""
    query = select(sign_ins).where(
        sign_ins.c.token_hash == token_hash, sign_ins.c.ended_at.is_(None), sign_ins.c.expires_at > micros(now)
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else _sign_in(row)


def sign_ins_of(connection: Connection, holder: Address, now: datetime) -> Sequence[SignIn]:
    """Those that stand, newest first."""
    query = (
        select(sign_ins)
        .where(sign_ins.c.holder == holder, sign_ins.c.ended_at.is_(None), sign_ins.c.expires_at > micros(now))
        .order_by(sign_ins.c.began_at.desc(), sign_ins.c.id)
    )
    return [_sign_in(row) for row in connection.execute(query)]


def _sign_in(row: Any) -> SignIn:
    holder = None if row.holder is None else Address(row.holder)
    return SignIn(SignInId(row.id), holder, instant_of(row.began_at), instant_of(row.expires_at))
