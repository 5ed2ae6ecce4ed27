"""Reads of the outbox of calls on chain."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, select

from mintery.domain.chain_call import Authority, CallAttempt, CallId, CallKind, ChainCall, Effect
from mintery.domain.voucher import Address
from mintery.ledger.queries_postponed import is_due
from mintery.ledger.schema_calls import call_attempts, chain_calls
from mintery.ledger.schema_withdrawn import withdrawn_signatures
from mintery.ledger.work import instant_of, micros
from mintery.units import CreditUnits

_AT_ONCE = 100
_IS_OPEN = chain_calls.c.tx_hash.is_(None) & chain_calls.c.failed_at.is_(None)


class CallReads:
    """``read`` runs a query on a connection of the ledger's readers."""

    def __init__(self, read: Callable[..., Any]) -> None:
        self._read = read

    def call(self, call: CallId) -> ChainCall | None:
        return next(iter(self._calls(chain_calls.c.id == call)), None)

    def of(self, subject: str) -> Sequence[ChainCall]:
        """In the order of their planning."""
        return self._calls(chain_calls.c.subject == subject)

    def open(self, *kinds: CallKind, limit: int = _AT_ONCE, after: CallId | None = None) -> Sequence[ChainCall]:
        """Without an end, by id; of ``kinds``, or of all."""
        chosen: list[ColumnElement[bool]] = [_IS_OPEN]
        if kinds:
            chosen.append(chain_calls.c.kind.in_([kind.value for kind in kinds]))
        if after is not None:
            chosen.append(chain_calls.c.id > after)
        return self._calls(*chosen, limit=limit, by_id=True)

    def due(
        self, now: datetime, *kinds: CallKind, limit: int = _AT_ONCE, after: CallId | None = None
    ) -> Sequence[ChainCall]:
        """As ``open``, without those that are tried again later."""
        later = () if after is None else (chain_calls.c.id > after,)
        chosen = (_IS_OPEN, chain_calls.c.kind.in_([kind.value for kind in kinds]), is_due(chain_calls.c.id, now))
        return self._calls(*chosen, *later, limit=limit, by_id=True)

    def failed(self, *, since: datetime | None = None, limit: int = _AT_ONCE) -> Sequence[ChainCall]:
        """Given up, newest first."""
        lately = () if since is None else (chain_calls.c.failed_at >= micros(since),)
        query = select(chain_calls).where(chain_calls.c.failed_at.is_not(None), *lately)
        rows = self._read(_all, query.order_by(chain_calls.c.failed_at.desc(), chain_calls.c.id).limit(limit))
        return [_call_of(row) for row in rows]

    def signed_by(self, authorizer: Address) -> Sequence[ChainCall]:
        """Open calls that stand on a signature of ``authorizer``'s which was not taken back."""
        taken_back = (
            select(withdrawn_signatures.c.nonce)
            .where(
                withdrawn_signatures.c.token == chain_calls.c.authority,
                withdrawn_signatures.c.authorizer == chain_calls.c.authorizer,
                withdrawn_signatures.c.nonce == chain_calls.c.nonce,
            )
            .exists()
        )
        return self._calls(_IS_OPEN, chain_calls.c.authorizer == authorizer, ~taken_back)

    def is_withdrawn(self, signed: Authority) -> bool:
        """Whether its authorizer took it back."""
        query = select(withdrawn_signatures.c.at).where(
            withdrawn_signatures.c.token == signed.token,
            withdrawn_signatures.c.authorizer == signed.authorizer,
            withdrawn_signatures.c.nonce == signed.nonce,
        )
        return bool(self._read(_all, query))

    def attempts_of(self, call: CallId) -> Sequence[CallAttempt]:
        """Oldest first."""
        query = select(call_attempts).where(call_attempts.c.call_id == call)
        rows = self._read(_all, query.order_by(call_attempts.c.signed_at, call_attempts.c.tx_hash))
        return [
            CallAttempt(
                row.tx_hash,
                CallId(row.call_id),
                Address(row.sender),
                row.nonce,
                bytes(row.raw),
                instant_of(row.signed_at),
                None if row.broadcast_at is None else instant_of(row.broadcast_at),
            )
            for row in rows
        ]

    def _calls(self, *chosen: ColumnElement[bool], limit: int = _AT_ONCE, by_id: bool = False) -> Sequence[ChainCall]:
        planned = (chain_calls.c.planned_at, chain_calls.c.after_call.is_not(None))
        query = select(chain_calls).where(*chosen).order_by(*(chain_calls.c.id,) if by_id else planned)
        return [_call_of(row) for row in self._read(_all, query.limit(limit))]


def _call_of(row: Any) -> ChainCall:
    return ChainCall(
        subject=row.subject,
        kind=CallKind(row.kind),
        to=Address(row.recipient),
        calldata=bytes(row.calldata),
        authority=None
        if row.authority is None
        else Authority(Address(row.authority), Address(row.authorizer), bytes(row.nonce)),
        first_block=row.first_block,
        planned_at=instant_of(row.planned_at),
        after=None if row.after_call is None else CallId(row.after_call),
        effect=None
        if row.tx_hash is None
        else Effect(
            row.tx_hash,
            row.block_hash,
            row.block_number,
            row.log_index,
            instant_of(row.effect_at),
            CreditUnits(int(row.credits)),
        ),
        failed_at=None if row.failed_at is None else instant_of(row.failed_at),
        failed_why=row.failed_why,
    )


def _all(connection: Connection, query: Select[Any]) -> Sequence[Any]:
    return connection.execute(query).all()
